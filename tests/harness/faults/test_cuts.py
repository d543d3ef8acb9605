"""Cuts: every instant at which a run can be cancelled, every state in which its process can die."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from robotape import LLMAgent, RunContext, RunResult, tool
from robotape.errors import InDoubtError
from robotape_harness.campaign.strike import strike
from robotape_harness.faults.case import Case
from robotape_harness.faults.catalogue import kind_of, possible
from robotape_harness.faults.cuts import Cutter, cuts_of, injector_of, not_cut
from robotape_harness.faults.fault import Fault, Phase, Site, sites_of
from robotape_harness.faults.inject import FaultInjector
from robotape_harness.oracles import Evidence
from robotape_harness.scenario import Scenario
from robotape_harness.scripted import ScriptedLLM, call, say
from robotape_harness.simulation.trial import simulate
from robotape_harness.world import World
from tests.harness.oracles.planted import names


@tool(effect_key=lambda args: args.order)
async def pay(ctx: RunContext[World], order: int) -> str:
    """Pay, half a second before and after."""
    await asyncio.sleep(0.5)
    ctx.deps.ledger.commit("paid", key=ctx.idempotency_key, order=order)
    await asyncio.sleep(0.5)
    return "paid"


def desk(*tools: Any, **changes: Any) -> Scenario:
    turns = [call("pay", order=1), call("pay", order=2)], call("pay", order=3), say("Done.")
    parts: dict[str, Any] = {
        "world": World,
        "agent": lambda world: LLMAgent("desk", ScriptedLLM(*turns), tools=tools or [pay]),
        "task": "go",
    }
    return Scenario(**{**parts, **changes})


DESK = desk()
BASELINE = simulate(DESK)
CUTS = cuts_of(BASELINE)
DEATHS = [cut for cut in CUTS if cut.kind == "crash"]
CANCELLATIONS = [cut for cut in CUTS if cut.kind == "cancellation"]


def cut_at(alias: str) -> Fault:
    return next(cut for cut in CUTS if cut.site.alias == alias)


def under(*faults: Fault, scenario: Scenario = DESK) -> Evidence:
    return strike(scenario, Case(faults=faults), simulate(scenario))


def test_there_is_a_cut_for_each_step_each_record_and_each_effect() -> None:
    counts = {
        event: sum(cut.site.alias.startswith(event) for cut in CUTS)
        for event in ("await", "write", "commit")
    }
    assert counts == {"await": BASELINE.awaits, "write": len(BASELINE.tape), "commit": 3}
    assert 0 < BASELINE.awaits < BASELINE.steps
    assert [str(cut) for cut in (CUTS[0], CUTS[-1])] == [
        "cancellation at await#1",
        "crash at commit#3",
    ]
    assert len(set(map(str, CUTS))) == len(CUTS)


@pytest.mark.parametrize("cut", CANCELLATIONS, ids=str)
def test_every_cancellation_ends_the_run_cancelled(cut: Fault) -> None:
    evidence = under(cut)
    assert evidence.trial.ending == "cancelled"
    assert evidence.cancelled_at is not None
    assert evidence.struck[0].attempts
    assert names(evidence) == []


def test_cancellations_cover_every_instant_of_the_run() -> None:
    instants = {under(cut).cancelled_at for cut in CANCELLATIONS}
    assert instants == {0.0, 0.5, 1.0, 1.5, 2.0}
    prefixes = {len(under(cut).trial.tape) for cut in CANCELLATIONS}
    assert len(prefixes) > 3


def test_one_step_later_the_run_has_ended() -> None:
    late = Fault("cancellation", _site(f"await#{BASELINE.awaits + 1}"), "before_commit", "once")
    evidence = under(late)
    assert (evidence.trial.ending, evidence.cancelled_at) == ("answered", None)
    assert names(evidence) == ["vacuous"]


def _site(alias: str) -> Site:
    return Site("run", alias, alias)


@pytest.mark.parametrize("cut", DEATHS, ids=str)
def test_every_death_is_survived_and_nothing_repeated(cut: Fault) -> None:
    evidence = under(cut)
    trial = evidence.trial
    assert (trial.ending, trial.outcome) == ("answered", BASELINE.outcome)
    assert len(trial.ledger) == 3
    assert names(evidence) == []
    assert trial.leftovers == ()
    [life] = trial.lives
    assert trial.crashed_at == life.seconds
    event, number = cut.site.alias.split("#")
    assert (len(life.tape) if event == "write" else life.commits) >= int(number)
    assert trial.tape.to_bytes().startswith(life.tape.to_bytes())


def test_deaths_are_after_exactly_so_many_records() -> None:
    writes = [cut for cut in DEATHS if cut.site.alias.startswith("write")]
    lengths = [len(under(cut).trial.lives[0].tape) for cut in writes]
    assert lengths == list(range(1, len(BASELINE.tape) + 1))


def test_every_state_of_tape_and_ledger_between_two_steps_is_a_death() -> None:
    """What a run goes through, seen from outside, against the states in which it dies."""
    seen = set()

    class Onlooker:
        def bind(self, run: Any) -> None:
            for number in range(1, BASELINE.awaits + 1):
                run.after_step(number, lambda: seen.add((len(run.tape), len(worlds[-1].ledger))))

        async def __call__(self, attempt: Any, call_next: Any) -> Any:
            return await call_next(attempt)

    worlds: list[World] = []

    def world() -> World:
        worlds.append(World())
        return worlds[-1]

    onlooker: Any = Onlooker()
    simulate(desk(world=world), interceptors=[onlooker])
    lives = [under(cut).trial.lives[0] for cut in DEATHS]
    died = {(len(life.tape), life.commits) for life in lives}
    assert seen - {(0, 0)} <= died
    assert {commits for _, commits in seen} == {0, 1, 2, 3}  # the control: it saw them come


def test_a_process_may_die_again_while_it_resumes() -> None:
    first = cut_at("write#5")
    again = [replace(first, site=_site(f"write#{number}")) for number in (6, 9, 12)]
    for second in again:
        evidence = under(first, second)
        assert (evidence.trial.ending, len(evidence.trial.lives)) == ("answered", 2)
        assert len(evidence.trial.ledger) == 3
        assert names(evidence) == []


def test_a_cut_composes_with_a_fault() -> None:
    site = next(site for site in sites_of(BASELINE.tape) if site.boundary == "tool")
    error = Fault("error", site, "before_commit", "forever")
    waiting = under(error)
    seconds = waiting.trial.seconds
    cuts = [replace(CANCELLATIONS[0], site=_site(f"await#{k}")) for k in range(1, 40)]
    hit = [under(error, cut) for cut in cuts]
    cancelled = [evidence for evidence in hit if evidence.cancelled_at is not None]
    assert any(0 < (each.cancelled_at or 0) < seconds for each in cancelled)  # while a retry waits
    assert {each.trial.ending for each in cancelled} == {"cancelled"}
    dead = under(replace(error, mode="once"), cut_at("write#6"))
    assert dead.trial.ending == "answered"
    assert [len(struck.attempts) > 0 for struck in dead.struck] == [True, True]


@pytest.mark.parametrize("phase", ["duplicate_delivery", "late_reply"])
def test_what_is_on_its_way_arrives_though_the_sender_is_dead(phase: Phase) -> None:
    [site, *_] = (site for site in sites_of(BASELINE.tape) if site.boundary == "tool")
    kind = "repeat" if phase == "duplicate_delivery" else "delay"
    sent = Fault(kind, site, phase, "once", {"seconds": 3.0})
    evidence = under(sent, cut_at("write#8"))
    assert evidence.trial.lives
    assert (evidence.trial.ending, len(evidence.trial.ledger)) == ("answered", 3)
    assert names(evidence) == []


class Listening(World):
    """A world that hears what bodies say."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []


@tool(effect_key=lambda args: args.order, name="pay")
async def wordy(ctx: RunContext[Listening], order: int) -> str:
    """Pay, and talk at the end."""
    try:
        await asyncio.sleep(0.5)
        ctx.deps.ledger.commit("paid", key=ctx.idempotency_key, order=order)
        return "paid"
    except BaseException:
        ctx.deps.said.append(f"{order} caught")
        raise
    finally:
        ctx.deps.said.append(f"{order} ended")


def test_the_dead_are_not_told_and_have_no_last_words() -> None:
    scenario = desk(wordy, world=Listening, outcome=lambda _, world: list(world.said))
    usual = '["1 ended","2 ended","3 ended"]'
    assert simulate(scenario).outcome == usual
    second_action = next(
        number
        for number, step in enumerate(BASELINE.tape, 1)
        if step.call_id == "desk/1/tool:pay[1]"
    )
    evidence = under(replace(DEATHS[0], site=_site(f"write#{second_action}")), scenario=scenario)
    assert len(evidence.struck[0].attempts) == 2  # both bodies had been called
    assert evidence.trial.outcome == usual


def test_control_the_cancelled_do() -> None:
    scenario = desk(wordy, world=Listening)
    heard: list[list[str]] = []

    def world() -> Listening:
        made = Listening()
        heard.append(made.said)
        return made

    for cut in CANCELLATIONS:
        under(cut, scenario=replace(scenario, world=world))
    assert ["1 caught", "1 ended", "2 caught", "2 ended"] in heard


def test_who_promised_nothing_is_in_doubt_and_nobody_accuses() -> None:
    @tool(writes=True, name="pay")
    async def send(ctx: RunContext[World], order: int) -> str:
        """Pay without a key."""
        await asyncio.sleep(0.5)
        ctx.deps.ledger.commit("paid", order=order)
        return "paid"

    scenario = desk(send)
    baseline = simulate(scenario)
    endings = set()
    for cut in cuts_of(baseline):
        evidence = strike(scenario, Case(faults=(cut,)), baseline)
        assert names(evidence) == [], cut
        assert max(evidence.trial.ledger.totals().values(), default=1) == 1
        if cut.kind == "crash":
            error = evidence.trial.error
            endings.add("in doubt" if in_doubt(error) else evidence.trial.ending)
    assert endings == {"answered", "in doubt"}


def in_doubt(error: BaseException | None) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(map(in_doubt, error.exceptions))
    return isinstance(error, InDoubtError)


def test_a_scenario_that_starts_its_agent_itself_is_cancelled_and_not_killed() -> None:
    async def run(agent: Any, world: World, task: Any) -> RunResult:
        result: RunResult = await agent.run(task, deps=world)
        return result

    scenario = desk(run=run)
    baseline = simulate(scenario)
    assert {cut.kind for cut in cuts_of(baseline)} == {"cancellation"}
    assert "for the scenario starts it in its own way" in not_cut(baseline)
    assert not_cut(BASELINE) == ""
    evidence = strike(scenario, Case(faults=(cut_at("write#2"),)), baseline)
    assert evidence.trial.ending == "target_error"
    assert "cannot die at a write" in str(evidence.trial.error)


def test_the_same_cut_gives_the_same_bytes() -> None:
    for cut in (cut_at("write#7"), cut_at("commit#2"), CANCELLATIONS[3]):
        first, second = under(cut), under(cut)
        assert first.trial.tape.to_bytes() == second.trial.tape.to_bytes()


# -- as values


def test_the_catalogue_knows_where_which_cut_can_be() -> None:
    said = {alias: [str(f) for f in possible(_site(alias))] for alias in ("await#1", "write#1")}
    assert said == {"await#1": ["cancellation at await#1"], "write#1": ["crash at write#1"]}
    assert [kind_of(cut).name for cut in CUTS] == [cut.kind for cut in CUTS]


@pytest.mark.parametrize(
    ("kind", "alias", "phase", "phrase"),
    [
        ("crash", "await#1", "before_commit", "no difference when a process dies"),
        ("cancellation", "write#1", "before_commit", "name an await"),
        ("crash", "write#1", "after_commit", "nothing has a phase"),
        ("crash", "write#0", "before_commit", "is no place for a cut"),
        ("crash", "write", "before_commit", "is no place for a cut"),
        ("explosion", "write#1", "before_commit", "there are: cancellation, crash"),
    ],
)
def test_a_cut_that_makes_no_sense_is_refused(
    kind: str, alias: str, phase: Phase, phrase: str
) -> None:
    with pytest.raises(ValueError, match=phrase):
        injector_of(Fault(kind, _site(alias), phase, "once"))


def test_each_fault_has_what_carries_it_out() -> None:
    assert type(injector_of(CUTS[0])) is Cutter
    site = sites_of(BASELINE.tape)[1]
    assert type(injector_of(Fault("error", site, "before_commit", "once"))) is FaultInjector

"""How a run begins: a fresh one with its own tape, or a place in the one under way."""

from robotape.errors import RobotapeError
from robotape.policy import Policy
from robotape.resume import resume_from
from robotape.runtime import Run, Scope, current_scope, derive
from robotape.tape import Tape, tape_of

__all__ = ["begin"]


def begin(
    name: str,
    *,
    policy: Policy | None = None,
    tape: Tape | None = None,
    seed: int | None = None,
    principal: str | None = None,
    deadline: float | None = None,
    resume: bool = True,
) -> Scope:
    """Find the place where an agent's work happens; enter it yourself.

    Inside another agent's run the work joins that run: same tape, same seed, all
    policies and the nearer deadline in force. A principal cannot be changed there.

    Args:
        name: The agent's.
        policy: Joins the policies already in force.
        tape: To write on; if it holds steps, the run goes on where they end.
        seed: None derives one from the surroundings, or draws one.
        principal: On whose behalf; None inherits.
        deadline: Seconds from now.
        resume: Whether a tape that holds steps is one to go on from, or just one to write on.

    Returns:
        A scope with a tape.

    Raises:
        RobotapeError: A tape, seed or other principal was given inside a run.
        TypeError: What was given as a tape is none.
    """
    if tape is not None and not isinstance(tape, Tape):
        raise TypeError(f"{name}: {tape!r} is no tape; for one in a file, Tape.journaled(path)")
    around = current_scope()
    if around is not None and tape_of(around) is not None:
        if tape is not None or seed is not None:
            raise RobotapeError(f"{name} runs inside a run: it has that run's tape and seed")
        if principal not in (None, around.principal):
            raise RobotapeError(f"{name} runs inside a run: its principal is {around.principal!r}")
        path = f"{around.agent}/{name}" if around.agent else name
        scope = around.inner(around.next_id(name), agent=path)
    else:
        scope = _fresh(
            around,
            name,
            Tape() if tape is None else tape,
            seed=seed,
            principal=principal,
            resume=resume,
        )
    if policy is not None:
        scope.policies = (*scope.policies, policy)
    if deadline is not None:
        instant = scope.run.now() + deadline
        scope.deadline = instant if scope.deadline is None else min(instant, scope.deadline)
    return scope


def _fresh(
    around: Scope | None,
    name: str,
    tape: Tape,
    *,
    seed: int | None,
    principal: str | None,
    resume: bool,
) -> Scope:
    if tape.is_begun and resume:
        seed = tape.seed
    if seed is None and around is not None:
        seed = int(derive(around.run.seed, around.next_id(name))[:16], 16)
    run = Run(seed)
    if resume:
        resume_from(run, tape)
    place = tape.attach(run, name)
    return Scope(
        run,
        agent=name,
        prefix=name if resume or not place else f"{name}@{place}",
        principal=principal,
        interceptors=() if around is None else around.interceptors,
        policies=() if around is None else around.policies,
    )

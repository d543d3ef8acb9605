"""An approval is for one call: not for other arguments, another principal, later, or twice."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr

from robotape import BaseAgent, Policy, Tape, Tool, allow, tool
from robotape.errors import PolicyDenied
from robotape.policy import (
    ApprovalRequest,
    ApprovalRequired,
    Approvals,
    Authority,
    above,
    ask,
    deny,
)
from tests.laws.scripts import simulated

RULES = (allow("*", "pay"), ask("*", "pay", amount=above(100)))


class Desk:
    """An authority, a tool that needs its word, and what was paid."""

    def __init__(self, *rules: Any, fails: int = 0) -> None:
        self.paid: list[int] = []
        self.authority = Authority(Policy(*(rules or RULES), version="1"))
        left = [fails]

        async def pay(amount: int, pin: SecretStr) -> str:
            """Pay."""
            if left[0]:
                left[0] -= 1
                raise ConnectionError("lost")
            self.paid.append(amount)
            return "paid"

        self.tool = Tool(pay)

    async def pay(self, amount: int, principal: str | None = "eve", pin: str = "0") -> str:
        """Pay in a run of its own; what the payer is told."""
        agent = BaseAgent("desk", tools=[self.tool], policy=self.authority)
        wish = {"action": "pay", "arguments": {"amount": amount, "pin": pin}}
        result = await agent.run(wish, principal=principal, seed=1)
        return str(result.error or result.output)

    def request(self) -> ApprovalRequest:
        """The only request that waits."""
        [request] = self.authority.approvals.waiting
        return request


def test_a_call_goes_through_once_it_is_approved_and_only_once() -> None:
    desk = Desk()

    async def main() -> None:
        assert await desk.pay(5) == "paid"
        refused = await desk.pay(500)
        assert refused.endswith("needs an approval, by the rule `ask * pay given amount > 100`")
        request = desk.request()
        assert (request.principal, request.target, request.version) == ("eve", "pay", "1")
        assert request.arguments["amount"] == 500
        desk.authority.approvals.grant(request, seconds=60)
        assert desk.authority.approvals.waiting == ()
        assert await desk.pay(500) == "paid"
        assert "needs an approval" in await desk.pay(500)

    simulated(main())
    assert desk.paid == [5, 500]


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 501},
        {"amount": 500, "principal": "mallory"},
        {"amount": 500, "principal": None},
        {"amount": 500, "pin": "1"},
    ],
)
def test_an_approval_is_of_no_use_for_another_call(other: dict[str, Any]) -> None:
    desk = Desk()

    async def main() -> None:
        await desk.pay(500)
        desk.authority.approvals.grant(desk.request(), seconds=60)
        assert "needs an approval" in await desk.pay(**other)
        assert desk.paid == []
        assert await desk.pay(500) == "paid", "it is still there for the call it was given for"

    simulated(main())


@pytest.mark.parametrize(("after", "is_valid"), [(59.9, True), (60.0, False), (61.0, False)])
def test_an_approval_expires_by_the_runs_clock(after: float, is_valid: bool) -> None:
    desk = Desk()

    async def main() -> None:
        await desk.pay(500)
        desk.authority.approvals.grant(desk.request(), seconds=60)
        await asyncio.sleep(after)
        await desk.pay(500)

    simulated(main())
    assert desk.paid == ([500] if is_valid else [])


@pytest.mark.parametrize("schedule", [None, *range(8)])
def test_one_approval_lets_one_of_many_calls_at_once_through(schedule: int | None) -> None:
    desk = Desk()

    async def main() -> None:
        await desk.pay(500)
        desk.authority.approvals.grant(desk.request(), seconds=60)
        await asyncio.gather(*[desk.pay(500) for _ in range(5)])

    simulated(main(), schedule)
    assert desk.paid == [500]


def test_one_approval_lasts_for_all_attempts_of_its_call() -> None:
    desk = Desk(fails=2)

    async def main() -> None:
        await desk.pay(500)
        desk.authority.approvals.grant(desk.request(), seconds=60)
        asyncio.get_running_loop().call_later(0.01, desk.authority.reload, Policy(*RULES))
        assert await desk.pay(500) == "paid"

    simulated(main())


def test_an_approval_opens_nothing_that_is_denied_or_revoked() -> None:
    desk = Desk()

    async def main() -> None:
        await desk.pay(500)
        desk.authority.approvals.grant(desk.request(), seconds=60)
        desk.authority.reload(Policy(*RULES, deny("*", "pay", amount=above(400))))
        assert "deny * pay" in await desk.pay(500)
        desk.authority.reload(Policy(*RULES))
        desk.authority.revoke("eve")
        assert "was revoked" in await desk.pay(500)

    simulated(main())
    assert desk.paid == []


def test_a_rejected_request_waits_no_more_and_loses_its_approval() -> None:
    desk = Desk()

    async def main() -> None:
        await desk.pay(500)
        await desk.pay(500)
        request = desk.request()
        desk.authority.approvals.grant(request, seconds=60)
        desk.authority.approvals.reject(request)
        assert "needs an approval" in await desk.pay(500)

    simulated(main())
    assert desk.paid == []


def test_a_policy_that_nobody_can_approve_for_asks_in_vain() -> None:
    @tool
    async def pay(amount: int) -> None:
        """Pay."""

    async def main() -> Tape:
        agent = BaseAgent("desk", tools=[pay], policy=Policy(*RULES))
        wish = {"action": "pay", "arguments": {"amount": 500}}
        return (await agent.run(wish)).tape

    [error] = [step for step in simulated(main()) if step.node == "pay"]
    assert error.value["error"] == "ApprovalRequired"
    assert (error.type.value, error.attempt) == ("error", 0)


def test_the_error_carries_what_has_to_be_approved() -> None:
    request = ApprovalRequest.of("eve", "pay", {"amount": 1}, b'{"amount":1}')
    error = ApprovalRequired(request)
    assert isinstance(error, PolicyDenied)
    assert (error.request, error.principal, error.target) == (request, "eve", "pay")


def test_what_waits_is_bounded_and_an_approval_must_last() -> None:
    approvals = Approvals()
    requests = [
        ApprovalRequest.of("eve", "pay", {"amount": number}, str(number).encode())
        for number in range(1100)
    ]
    assert not any(map(approvals.take, requests))
    assert approvals.waiting == tuple(requests[-1000:])
    for seconds in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="lasts some seconds"):
            approvals.grant(requests[0], seconds=seconds)

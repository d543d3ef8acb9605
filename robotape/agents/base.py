"""The agent: think, act, observe, each open to be overridden; its tools, through the corridor."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from robotape import models
from robotape.agents.result import RunResult
from robotape.begin import begin
from robotape.context import RunContext
from robotape.errors import PolicyDenied, ToolError, UnknownToolError
from robotape.models.kinds import StepStatus, StepType
from robotape.policy import Policy
from robotape.recorder import reject
from robotape.runtime import current_scope, entered
from robotape.tape import Tape, tape_of
from robotape.tools import Tool
from robotape.watch import under_watch

if TYPE_CHECKING:
    from robotape.models.steps import Step, StepResult

__all__ = ["BaseAgent"]


class BaseAgent:
    """What every agent is: a name, tools, a policy, and steps to execute.

    A subclass overrides what it wants to: `execute_step` alone is enough.

    Attributes:
        name: Part of every call id; give agents that work together different names.
        tools: By name.
        policy: What its principals may do; None allows everything its surroundings allow.
        config: The user's own.
    """

    def __init__(
        self,
        name: str,
        config: dict[str, Any] | None = None,
        *,
        tools: Sequence[Tool[Any]] = (),
        policy: Policy | None = None,
    ) -> None:
        """Make an agent; nothing is run or opened.

        Raises:
            ValueError: Two tools have one name, or the name is empty or holds a `/`.
            TypeError: What stands among the tools is none.
        """
        if not name or "/" in name:
            raise ValueError(f"an agent's name is part of a path, it cannot be {name!r}")
        self.name = name
        self.config = config or {}
        self.tools = _by_name(name, tools)
        self.policy = policy
        self._tape: Tape | None = None

    @property
    def current_tape(self) -> Tape:
        """The tape of the run under way; outside a run, one of the agent's own."""
        tape = tape_of(current_scope())
        if tape is not None:
            return tape
        if self._tape is None:
            self._tape = Tape(author=self.name)
        return self._tape

    @current_tape.setter
    def current_tape(self, tape: Tape | None) -> None:
        """Take a tape for what is done outside a run; None for a new one."""
        self._tape = tape

    async def run(
        self,
        task: Any,
        *,
        deps: Any = None,
        principal: str | None = None,
        tape: Tape | None = None,
        seed: int | None = None,
        deadline: float | None = None,
    ) -> RunResult:
        """Run from a task to a result.

        Args:
            task: What is to be done.
            deps: For the tools: `RunContext.deps`.
            principal: On whose behalf.
            tape: To write on; one that holds steps is resumed: completed calls are answered
                from it, none is made twice.
            seed: From which ids and jitter derive; None draws one.
            deadline: Seconds until nobody waits any more.

        Returns:
            The result, with its tape.

        Raises:
            DeadlineExceeded: Time ran out during a call.
            InDoubtError: In a resumed run, an effect may have happened already.
            Exception: What a tool or the model raised after its retries.
        """
        scope = begin(
            self.name,
            policy=self.policy,
            tape=tape,
            seed=seed,
            principal=principal,
            deadline=deadline,
        )
        with under_watch(scope):
            return await self.work(task, deps)

    async def work(self, task: Any, deps: Any) -> RunResult:
        """The run itself, inside its scope: think, then act if that is asked for, then observe."""
        result = await self._step(StepType.THOUGHT, task)
        if result.success and isinstance(result.output, Mapping) and "action" in result.output:
            result = await self._step(StepType.ACTION, result.output)
            if result.success:
                result = await self._step(StepType.OBSERVATION, result.output)
        return RunResult(
            output=result.output,
            tape=self.current_tape,
            stop_reason="finished" if result.success else "failed",
            error=result.error,
        )

    async def _step(self, type: StepType, content: Any) -> "StepResult":
        step = models.Step(
            type=type,
            content=content,
            metadata=models.StepMetadata(agent=self.name, node=self.name),
            status=StepStatus.IN_PROGRESS,
        )
        result = await self.execute_step(step)
        if type is not StepType.ACTION:
            told = result.output if result.success else {"error": result.error}
            status = StepStatus.COMPLETED if result.success else StepStatus.FAILED
            self.current_tape.record(type, status, agent=self.name, node=self.name, content=told)
        return result

    async def execute_step(self, step: "Step") -> "StepResult":
        """Execute one step: think of it, act on it, or observe it.

        Raises:
            ValueError: There is nothing to execute in an error.
            Exception: What the step raises; override to turn it into a `StepResult`.
        """
        if step.type is StepType.THOUGHT:
            return await self.think(step.content)
        if step.type is StepType.ACTION:
            return await self.act(step)
        if step.type is StepType.OBSERVATION:
            return await self.observe(step)
        raise ValueError(f"{self.name}: an {step.type.value} step cannot be executed")

    async def think(self, context: Any) -> "StepResult":
        """Form a thought; here: the context as it is."""
        return models.StepResult(success=True, output=context)

    async def act(self, thought: "Step") -> "StepResult":
        """Call the tool that `content["action"]` names, with `content["arguments"]`.

        Returns:
            What the tool gave, or why it was not called.

        Raises:
            Exception: What the tool's body raised after its retries.
        """
        content = thought.content
        if not isinstance(content, Mapping) or "action" not in content:
            return models.StepResult(success=False, error="the step's content names no action")
        action = content["action"]
        try:
            name = action if isinstance(action, str) else repr(action)  # repr: nobody's name
            output = await self.call_tool(name, content.get("arguments", {}))
        except (ToolError, PolicyDenied) as error:
            facts = {"action": action, "error_type": type(error).__name__}
            return models.StepResult(success=False, error=str(error), metadata=facts)
        return models.StepResult(success=True, output=output, metadata={"action": action})

    async def observe(self, action: "Step") -> "StepResult":
        """Take note of what an action gave; here: as it is."""
        return models.StepResult(success=True, output=action.content)

    async def call_tool(
        self, name: str, arguments: Any, context: RunContext[Any] | None = None
    ) -> Any:
        """Call one of the agent's tools, by way of the corridor.

        Raises:
            UnknownToolError: There is none of that name; names are compared as they are.
        """
        scope = current_scope()
        if scope is None or tape_of(scope) is None:
            tape = self.current_tape
            with entered(begin(self.name, policy=self.policy, tape=tape, resume=False)):
                return await self.call_tool(name, arguments, context)
        if self.policy is not None and self.policy not in scope.policies:
            # In another agent's run, which does not know of our policy.
            with entered(begin(self.name, policy=self.policy)):
                return await self.call_tool(name, arguments, context)
        found = self.tools.get(name)
        if found is None:
            error = UnknownToolError(str(name), list(self.tools))
            reject(scope, str(name), scope.next_id(f"tool:{name}"), error)
            raise error
        return await found.execute(arguments, context)


def _by_name(agent: str, tools: Sequence[Tool[Any]]) -> dict[str, Tool[Any]]:
    named: dict[str, Tool[Any]] = {}
    for tool in tools:
        if not isinstance(tool, Tool):
            raise TypeError(
                f"{agent}: {tool!r} is no tool; decorate it with @tool, or wrap it: Tool(f)"
            )
        if tool.name in named:
            raise ValueError(f"{agent}: two tools are called {tool.name}; give one another name")
        named[tool.name] = tool
    return named

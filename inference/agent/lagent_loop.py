"""lagent's loop of model, call and result, with our engine, tool parsers and tools.

The only file that imports lagent. Of lagent come the agent, its memory and the executor of
actions; its models and interpreters are not used, for they break on today's libraries or run
programs in this process. An agent lives for one attempt at one job, so its memory is bounded by
the number of turns, and neither an error nor a neighbour leaves anything in it.

Importing this takes seconds: whoever serves `/solve` does so before the first job.
"""

import copy
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lagent.actions import BaseAction
from lagent.agents import AsyncAgentForInternLM, AsyncStreamingAgent
from lagent.agents.agent import AsyncStreamingAgentMixin
from lagent.hooks import Hook
from lagent.llms import AsyncBaseLLM
from lagent.memory import Memory
from lagent.schema import ActionReturn, ActionStatusCode, AgentMessage, ModelStatusCode

from inference.agent.model_turn import Ask, ModelOutput
from inference.engines.base import Message
from inference.tool_parsers.base import ToolParser, ToolRequest
from inference.tools.base import Context, Outcome, Tool, ToolFailed
from jobqueue.schema import CallStatus

SESSION = "attempt"
REFUSED = "refused"


class Loop:
    """One attempt's agent. `head` is what comes before its first message: persona and past."""

    def __init__(
        self,
        ask: Ask,
        tool_parser: ToolParser,
        tools: Sequence[Tool],
        context: Context,
        *,
        head: tuple[Message, ...],
        may_run: Callable[[], Awaitable[bool]],
    ) -> None:
        """`may_run` is asked, and waited for, before each call that could be made."""
        self._model = _Model(ask)
        self._agent = _Agent(
            llm=self._model,
            interpreter=[_Action(tool, context) for tool in tools],
            aggregator=_Aggregator(tool_parser, head),
            output_format=_Format(),
            action_hooks=[_Processor()],
            finish_condition=lambda message: message.formatted.call is None,
        )
        self._agent.may_run = may_run

    async def say(self, text: str, turns: int) -> AsyncGenerator[ModelOutput | Outcome, None]:
        """Replies as they grow, and what each call comes to; a reply without a call is the last.

        After `turns` replies with calls it ends with the last call's outcome: no answer.
        """
        self._agent.max_turn = turns
        try:
            # Its `__call__` would tell the last message twice.
            async for message in self._agent.forward(AgentMessage(content=text)):
                content, formatted = message.content, message.formatted
                step: ModelOutput | Outcome = (
                    content if isinstance(content, ModelOutput) else formatted
                )
                yield step
        finally:
            await self._model.aclose()


class _Model(AsyncBaseLLM):  # type: ignore[misc]  # lagent has no types
    """Our engine as lagent's model: messages in, what was said so far out."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(path="commonroom")
        self._ask = ask
        self._open: AsyncGenerator[ModelOutput, None] | None = None

    async def stream_chat(
        self, inputs: tuple[Message, ...], **_: Any
    ) -> AsyncGenerator[tuple[ModelStatusCode, ModelOutput], None]:
        self._open = self._ask(inputs)
        async for said in self._open:
            yield (ModelStatusCode.END if said.ended else ModelStatusCode.STREAM_ING), said

    async def aclose(self) -> None:
        """lagent leaves generators to the garbage collector; the engine's slot cannot wait."""
        if self._open is not None:
            await self._open.aclose()


class _Agent(AsyncStreamingAgentMixin, AsyncAgentForInternLM):  # type: ignore[misc]
    """lagent's tool agents do not stream, so this is theirs with a loop that does."""

    _INTERNAL_AGENT_CLS = AsyncStreamingAgent
    may_run: Callable[[], Awaitable[bool]]

    async def forward(
        self, message: AgentMessage, session_id: str = SESSION, **_: Any
    ) -> AsyncGenerator[AgentMessage, None]:
        last = message
        for _turn in range(self.max_turn):
            async for last in self.agent(last, session_id=session_id):  # noqa: B020
                yield last
            if self.finish_condition(last):
                return
            last = await self._act(last.formatted.call, last)
            yield last

    async def _act(self, call: ToolRequest, message: AgentMessage) -> AgentMessage:
        """lagent runs malformed calls as programs and knows no names; so those stop here."""
        fault = call.fault
        if not fault and call.tool not in self.interpreter_executor:
            names = ", ".join(self.interpreter_executor.keys())
            fault = f"there is no tool {call.tool!r}; there are {names}"
        if not fault and not await self.may_run():
            fault = "a person has not allowed this call"
        if fault:
            outcome = Outcome(fault, CallStatus.REFUSED)
            return AgentMessage(sender=REFUSED, content=fault, formatted=outcome)
        return await self.interpreter_executor(message, session_id=SESSION)


class _Format:
    """A reply is read by its tool parser as it comes, so there is nothing left to parse."""

    def parse_response(self, said: ModelOutput) -> Any:
        return said.reply


class _Aggregator:
    """lagent's memory as messages to our engine."""

    def __init__(self, tool_parser: ToolParser, head: tuple[Message, ...]) -> None:
        self._tool_parser = tool_parser
        self._head = head

    def aggregate(self, memory: Memory, name: str, *_: Any) -> tuple[Message, ...]:
        return (*self._head, *(self._message(each, name) for each in memory.get_memory()))

    def _message(self, remembered: AgentMessage, name: str) -> Message:
        if remembered.sender == name:
            said: ModelOutput = remembered.content
            return Message("assistant", said.text, tool_call=said.called)
        if remembered.sender == "user":
            return Message("user", remembered.content)
        return self._tool_parser.result_message(remembered.content)


@dataclass
class _Return(ActionReturn):  # type: ignore[misc]
    outcome: Outcome | None = None


class _Action(BaseAction):  # type: ignore[misc]
    """One of our tools as lagent's action. Its own parser would run what is malformed."""

    def __init__(self, tool: Tool, context: Context) -> None:
        super().__init__(
            {"name": tool.name, "description": tool.description, "parameters": [], "required": []}
        )
        self._tool = tool
        self._context = context

    async def __call__(self, inputs: dict[str, object], _api: str = "run") -> ActionReturn:
        try:
            outcome = await self._tool.call(self._context, inputs)
        except ToolFailed as failed:
            outcome = Outcome(str(failed), CallStatus.FAILED)
        good = outcome.status is CallStatus.OK
        state = ActionStatusCode.SUCCESS if good else ActionStatusCode.API_ERROR
        return _Return(args=inputs, type=self._tool.name, state=state, outcome=outcome)


class _Processor(Hook):  # type: ignore[misc]
    def before_action(self, _executor: Any, message: AgentMessage, _session: str) -> AgentMessage:
        call: ToolRequest = message.formatted.call
        message = copy.copy(message)
        message.content = {"name": call.tool, "parameters": call.arguments}
        return message

    def after_action(self, _executor: Any, message: AgentMessage, _session: str) -> AgentMessage:
        outcome: Outcome = message.content.outcome
        message.content, message.formatted = outcome.text, outcome
        return message

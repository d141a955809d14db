"""The sandbox, tools and agent that a worker has beside its engine.

It opens while the worker already answers `/chat`. Where the sandbox does not hold it stays shut:
then the worker never says that it can solve, and the operator is told why.
"""

import asyncio
import importlib
import logging
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import msgspec

from inference import tool_parsers
from inference.agent import prompts
from inference.agent.agent_attempt import ToolChatAttempt
from inference.agent.solve_attempt import SolveAttempt
from inference.chat_attempt import HistorySource, NoPrograms, Prompt, compose
from inference.engines.base import Engine, EngineError, Message, Request
from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from inference.sandbox.result import SandboxUnavailable
from inference.tool_parsers import of_model
from inference.tool_parsers.base import ToolParser
from inference.tool_parsers.server_native import Native
from inference.tools.base import Context, Tool
from inference.tools.registry import CONVERT, PYTHON, READ_PICTURE, tools
from jobqueue.approvals import Approvals
from jobqueue.blobs import Blobs
from jobqueue.history import MAX_IMAGES, select_images
from jobqueue.schema import SOLVE, Attachment, Job, Sampling

log = logging.getLogger(__name__)

RETRY_S = 10.0  # for a sandbox service that does not answer

# Of the tools that a channel has chosen, those that help to solve a problem, too.
_READERS = frozenset({"search_files", "search_channel", "arxiv", "search_web"})


class ToolRuntime:
    def __init__(
        self,
        engine: Engine,
        past: HistorySource,
        blobs: Blobs,
        *,
        system: str,
        sandbox: SandboxConfig,
        approvals: Approvals | None = None,
        arxiv: bool = False,
        search: str = "",
        tool_parser: str = "",
    ) -> None:
        """Create the runtime.

        Without `approvals`, calls that need a person's approval are refused. `tool_parser` is
        the name of one; where it is empty, the model's name selects one.
        """
        self.engine = engine
        self._past = past
        self._blobs = blobs
        self._approvals = approvals
        self._system = system
        self._config = sandbox
        self._sandbox = Sandbox(sandbox)
        self._opening: asyncio.Task[None] | None = None
        self._ready = False  # lagent is here, so tools can be called
        self._open = False  # and programs can be run
        self._arxiv = arxiv
        self._search = search
        self._named = tool_parser
        self._warmed = asyncio.Event()
        self.closed_because = "the sandbox is not ready yet"
        self.shut = False  # it was tried, and nothing can be solved here now

    async def __aenter__(self) -> Self:
        self._opening = asyncio.create_task(self._prepare(), name="tool_runtime")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open = False
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        await self._sandbox.__aexit__()

    async def wait_until_open(self) -> None:
        """Wait until it is. Raises SandboxUnavailable where it stays shut."""
        if self._opening is not None:  # the examples are read by then, too
            await asyncio.wait([self._opening])
        if not self._open:
            raise SandboxUnavailable(self.closed_because)

    @property
    def _tool_parser(self) -> ToolParser:
        family = of_model(self.engine.identity)
        if self._named == "native":
            return Native(family) if self.engine.takes_tools else family
        return tool_parsers.TOOL_PARSERS.get(self._named, family)

    @property
    def capabilities(self) -> frozenset[str]:
        return frozenset({SOLVE} if self._open else ())

    @property
    def sandbox(self) -> Sandbox | None:
        """The sandbox, also for programs of our own; None while it is unavailable."""
        return self._sandbox if self._open else None

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools that a model may call in a chat, if it can call tools."""
        if not self._ready or not self._tool_parser.calls_tools:
            return ()
        return tools(programs=self._open, with_arxiv=self._arxiv, search=self._search)

    async def _prepare(self) -> None:
        """A sandbox of our own holds at once or never; a service may come, and come back, later."""
        try:
            await asyncio.to_thread(_import_lagent)
        except ImportError as missing:
            self._close(f"lagent is not installed: {missing}")
            return
        self._ready = True
        while not self._open:
            try:
                await self._sandbox.__aenter__()
                self._open, self.shut = True, False
            except SandboxUnavailable as missing:
                self._close(missing.reason)
                if self._config.socket is None:
                    return
                await asyncio.sleep(RETRY_S)
        try:
            await self._warm_up()
        except EngineError as error:
            log.warning("examples are not read ahead: %s", error)
        finally:
            self._warmed.set()

    async def _warm_up(self) -> None:
        """Examples are a thousand tokens. Read once, they stay in the engine's cache; problems
        that come meanwhile wait for it, and chats go on beside the engine's pieces of it."""
        examples, how = self._tool_parser.examples(), self._tool_parser.instructions(())
        if not examples:
            return
        said = (Message("system", how), *examples, Message("user", "1 + 1"))
        request = Request("warm-up", "warm-up", said, Sampling(max_tokens=1), background=True)
        async for _ in self.engine.generate(request):
            pass

    def _close(self, reason: str) -> None:
        if reason != self.closed_because:
            log.warning("programs cannot be run: %s", reason)
        self.closed_because, self.shut = reason, True

    def tools_for(self, job: Job) -> tuple[Tool, ...]:
        """Return the tools that the job asks for; none for the rest of an answer that was cut."""
        if job.continues:
            return ()
        return tuple(tool for tool in self.tools if tool.name in job.tools)

    async def create_solve_attempt(self, job: Job, number: int, steps: int = 0) -> SolveAttempt:
        """Create an attempt at a problem after `steps` earlier steps.

        Raises NoPrograms, and the errors of `compose`.
        """
        if not self._open:
            raise NoPrograms(self.closed_because)
        chosen = (PYTHON, CONVERT, *(t for t in self.tools_for(job) if t.name in _READERS))
        return SolveAttempt(job, number, steps=steps, **await self._attempt_parts(job, chosen))

    async def create_tool_chat_attempt(
        self, job: Job, number: int, chosen: tuple[Tool, ...], steps: int = 0
    ) -> ToolChatAttempt:
        """Create an attempt at a chat with tools. Raises the errors of `compose`."""
        return ToolChatAttempt(job, number, steps=steps, **await self._attempt_parts(job, chosen))

    async def _attempt_parts(self, job: Job, chosen: tuple[Tool, ...]) -> dict[str, Any]:
        """Return the arguments of an attempt besides its job."""
        tool_parser = self._tool_parser
        turns = (await self._past.load(job.channel, None, job.parent)).turns
        pictures = select_images(job.attachments)
        files = await self._bytes(each for each in job.attachments if each not in pictures)
        if READ_PICTURE in chosen:
            pictures += [p for turn in reversed(turns) for p in select_images(turn.attachments)]
        return {
            "prompt": await self._prompt(job, tool_parser, chosen, files),
            "engine": self.engine,
            "tool_parser": tool_parser,
            "tools": chosen,
            "context": Context(
                sandbox=self._sandbox,
                files=files,
                pictures=await self._bytes(pictures[:MAX_IMAGES] if READ_PICTURE in chosen else ()),
                turns=turns,
            ),
            "blobs": self._blobs,
            "approvals": self._approvals,
            "warmed": self._warmed,
        }

    async def _bytes(self, attachments: Iterable[Attachment]) -> dict[str, bytes]:
        """Return the files by name: the first of each name, without expired ones."""
        found: dict[str, bytes] = {}
        for attachment in attachments:
            data = await self._blobs.get(attachment.sha256)
            if data is not None:
                found.setdefault(attachment.name, data)
        return found

    async def _prompt(
        self, job: Job, tool_parser: ToolParser, chosen: Sequence[Tool], files: Mapping[str, bytes]
    ) -> Prompt:
        """Return the prompt with the tool parser's instructions.

        A tool parser with examples is for small models: a persona or earlier turns mislead them.
        """
        examples, how = tool_parser.examples(), tool_parser.instructions(chosen)
        system = how if examples else f"{job.system or self._system}\n\n{how}".rstrip()
        prompt_ = f"{job.prompt}\n\n{prompts.describe_files(files)}" if files else job.prompt
        told = msgspec.structs.replace(job, system=system, prompt=prompt_)
        prompt = await compose(told, self._past, self.engine, system=system, examples=examples)
        if not examples:
            return prompt
        alone = (*prompt.messages[: len(examples) + 1], prompt.messages[-1])
        return replace(prompt, messages=alone, omitted_turns=0, summarised_turns=0)


def _import_lagent() -> None:
    """Import lagent, restore the warning filters that it resets, and ignore its libraries'
    warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("inference.agent.lagent_loop")

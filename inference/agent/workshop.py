"""What a worker needs beside its engine for `/solve`: the sandbox, the tools, and lagent.

It opens while the worker already answers `/chat`. Where the sandbox does not hold it stays shut:
then the worker never says that it can solve, and the operator is told why.
"""

import asyncio
import importlib
import logging
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import msgspec

from inference import dialects
from inference.agent.attempt import Solution
from inference.dialects.base import Dialect
from inference.engines.base import Engine
from inference.generate import Past, Prompt, compose
from inference.sandbox.client import Sandbox
from inference.sandbox.config import SandboxConfig
from inference.sandbox.errors import SandboxUnavailable
from inference.tools.base import Context, Tool, tool
from inference.tools.python import python
from inference.tools.units import convert
from jobqueue.blobs import Blobs
from jobqueue.capabilities import SOLVE
from jobqueue.schema import Job

log = logging.getLogger(__name__)


class Workshop:
    def __init__(
        self, engine: Engine, past: Past, blobs: Blobs, *, system: str, sandbox: SandboxConfig
    ) -> None:
        self.engine = engine
        self._past = past
        self._blobs = blobs
        self._system = system
        self._sandbox = Sandbox(sandbox)
        self._opening: asyncio.Task[None] | None = None
        self._open = False
        self.closed_because = "the sandbox is not ready yet"

    async def __aenter__(self) -> Self:
        self._opening = asyncio.create_task(self._prepare(), name="workshop")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open = False
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        await self._sandbox.__aexit__()

    async def opened(self) -> None:
        """Wait until it is. Raises SandboxUnavailable where it stays shut."""
        if self._opening is not None:
            await asyncio.wait([self._opening])
        if not self._open:
            raise SandboxUnavailable(self.closed_because)

    @property
    def capabilities(self) -> frozenset[str]:
        return frozenset({SOLVE} if self._open else ())

    @property
    def tools(self) -> Sequence[Tool]:
        return (tool(python), tool(convert)) if self._open else ()

    async def _prepare(self) -> None:
        try:
            await self._sandbox.__aenter__()
            await asyncio.to_thread(_import_lagent)
        except SandboxUnavailable as missing:
            self.closed_because = missing.reason
        except ImportError as missing:
            self.closed_because = f"lagent is not installed: {missing}"
        else:
            self._open = True
            return
        log.warning("programs cannot be run: %s", self.closed_because)

    async def attempt(self, job: Job, number: int) -> Solution:
        """Raises what `compose` does."""
        dialect = dialects.of_model(self.engine.model)
        tools = self.tools
        prompt = await self._prompt(job, dialect, tools)
        context = Context(sandbox=self._sandbox, question=job.prompt)
        return Solution(
            job,
            number,
            prompt,
            engine=self.engine,
            dialect=dialect,
            tools=tools,
            context=context,
            blobs=self._blobs,
        )

    async def _prompt(self, job: Job, dialect: Dialect, tools: Sequence[Tool]) -> Prompt:
        """A dialect with examples is that of models which would only be led astray by a persona,
        or by what was said before."""
        examples, how = dialect.examples(), dialect.instructions(tools)
        system = how if examples else f"{job.system or self._system}\n\n{how}"
        told = msgspec.structs.replace(job, system=system)
        prompt = await compose(told, self._past, self.engine, system=system, examples=examples)
        if not examples:
            return prompt
        alone = (*prompt.messages[: len(examples) + 1], prompt.messages[-1])
        return replace(prompt, messages=alone, omitted_turns=0)


def _import_lagent() -> None:
    """It resets the filter of warnings, and its libraries warn of themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module("inference.agent.loop")

"""The requests to the engine that one article takes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from zlib import crc32

import msgspec

from inference import reasoning
from inference.chat_attempt import ANSWER_SHARE
from inference.engines.base import Engine, Message, Request
from jobqueue.schema import FinishReason, Job, Sampling

_CUT = (FinishReason.LENGTH, FinishReason.REPETITION)


class LLMClient:
    """Sends requests to the engine, and counts their tokens."""

    def __init__(self, job: Job, attempt: int, engine: Engine) -> None:
        self._job = job
        self._attempt = attempt
        self._engine = engine
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.cut = False  # whether the last thing that was written was ended before its end

    def limit_tokens(self, tokens: int) -> int:
        """Return so many tokens, or as many as the context has room for."""
        most = min(tokens, self._engine.context_tokens // ANSWER_SHARE)
        return min(most, self._job.sampling.max_tokens or most)

    def with_temperature(self, temperature: float) -> dict[str, float]:
        """Return a temperature as a parameter, unless the person chose one."""
        chosen = self._job.sampling.temperature
        return {"temperature": temperature if chosen is None else chosen}

    async def write(
        self, name: str, messages: tuple[Message, ...], **sampling: object
    ) -> AsyncGenerator[str, None]:
        """Yield pieces of text, without reasoning. `name` is what it is for: `plan`, `section-2`, …

        `sampling` is laid over the job's own. Closing it aborts the engine's work.
        """
        shown = ""
        async with aclosing(self._texts(name, messages, sampling)) as texts:
            async for text in texts:
                if not text.startswith(shown) and not shown.startswith(text):
                    shown = ""  # that was reasoning, and cannot be taken back
                if len(text) > len(shown):
                    yield text[len(shown) :]
                    shown = text

    async def ask(self, name: str, messages: tuple[Message, ...], **sampling: object) -> str:
        whole = ""
        async with aclosing(self._texts(name, messages, sampling)) as texts:
            async for text in texts:
                whole = text
        return whole

    async def _texts(
        self, name: str, messages: tuple[Message, ...], sampling: dict[str, object]
    ) -> AsyncGenerator[str, None]:
        """Yield all of the text so far, without reasoning, after each chunk."""
        self.prompt_tokens += await self._engine.count_tokens(messages)
        request = Request(
            id=f"{self._job.id}.{self._attempt}.{name}",
            channel=self._job.channel,
            messages=messages,
            sampling=self._sampling(name, sampling),
            thinking=bool(self._job.thinking),
        )
        begun, said = messages[-1].role == "assistant", ""
        async with aclosing(self._engine.generate(request)) as chunks:
            async for chunk in chunks:
                self.completion_tokens += chunk.tokens if chunk.text or chunk.reasoning else 0
                said = chunk.added_to(said)
                self.cut = chunk.finish_reason in _CUT
                over = chunk.finish_reason is not None
                yield said if begun else reasoning.split(said, ended=over)[1]

    def _sampling(self, name: str, changes: dict[str, object]) -> Sampling:
        """Derive a seed for each request from a chosen one, so that a second try is another."""
        own = msgspec.structs.replace(self._job.sampling, **({"stop": ()} | changes))
        if own.seed is None:
            return own
        return msgspec.structs.replace(own, seed=(own.seed + crc32(name.encode())) % 2**32)

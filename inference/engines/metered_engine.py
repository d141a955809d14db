"""An engine that counts, times and traces every request to the engine in it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Self

from common import tracing
from inference.engines.base import Chunk, Engine, Health, Message, Request
from inference.metrics import WorkerMetrics


class MeteredEngine:
    def __init__(self, engine: Engine, metrics: WorkerMetrics) -> None:
        self._engine = engine
        self._metrics = metrics

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        # Not the current span: the generator may be closed in another task.
        traced = tracing.start_span(
            "generate", is_current=False, request=request.id, model=self.model
        )
        with self._metrics.request() as measured, traced as span:
            async with aclosing(self._engine.generate(request)) as chunks:
                async for chunk in chunks:
                    if chunk.tokens and (chunk.text or chunk.reasoning or chunk.tool_calls):
                        first = measured.silent
                        gap_s = measured.piece(chunk.tokens)
                        if first:
                            tracing.record_span("prefill", gap_s, span)
                    if chunk.usage is not None:
                        measured.add_usage(chunk.usage)
                        counts = tracing.attributes(
                            **asdict(chunk.usage), finish_reason=chunk.finish_reason
                        )
                        span.set_attributes(counts)
                    yield chunk

    @property
    def name(self) -> str:
        return self._engine.name

    @property
    def model(self) -> str:
        return self._engine.model

    @property
    def capabilities(self) -> frozenset[str]:
        return self._engine.capabilities

    @property
    def context_tokens(self) -> int:
        return self._engine.context_tokens

    @property
    def slots(self) -> int:
        return self._engine.slots

    @property
    def takes_tools(self) -> bool:
        return self._engine.takes_tools

    async def count_tokens(self, messages: tuple[Message, ...]) -> int:
        return await self._engine.count_tokens(messages)

    def health(self) -> Health:
        return self._engine.health()

    async def __aenter__(self) -> Self:
        await self._engine.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._engine.__aexit__(*exc)

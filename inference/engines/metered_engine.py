"""An engine that counts, times and traces every request to the engine in it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict

from common import tracing
from inference.engines.base import Chunk, Engine, EngineWrapper, Request
from inference.metrics import WorkerMetrics


class MeteredEngine(EngineWrapper):
    def __init__(self, engine: Engine, metrics: WorkerMetrics) -> None:
        super().__init__(engine)
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

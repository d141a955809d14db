"""One turn of a model's in a loop of calls: the engine is asked, and stopped where a call ends."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from inference.agent.said import Said
from inference.dialects.base import Dialect
from inference.engines.base import Engine, Message, Request
from jobqueue.schema import Job


class Asking:
    """Counts turns and tokens over all of them."""

    def __init__(self, job: Job, attempt: int, engine: Engine, dialect: Dialect) -> None:
        self._job = job
        self._attempt = attempt
        self._engine = engine
        self._dialect = dialect
        self.turns = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0

    async def __call__(self, messages: tuple[Message, ...]) -> AsyncGenerator[Said, None]:
        """What is said, as it grows; the last one has `ended`."""
        self.turns += 1
        self.prompt_tokens += await self._engine.count_tokens(messages)
        text = ""
        async with aclosing(self._engine.generate(self._request(messages))) as chunks:
            async for chunk in chunks:
                self.completion_tokens += bool(chunk.text)
                text += chunk.text
                over = chunk.finish_reason is not None
                reply = self._dialect.read(text, ended=over)
                over = over or (reply.call is not None and reply.call.complete)
                yield Said(text, reply, over)
                if over:
                    return

    def _request(self, messages: tuple[Message, ...]) -> Request:
        return Request(
            id=f"{self._job.id}.{self._attempt}.{self.turns}",
            channel=self._job.channel,
            messages=messages,
            sampling=self._dialect.sampling(self._job.sampling, self.turns),
        )

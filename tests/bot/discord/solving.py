"""A worker that solves what it is told to, in the steps that it is told to take."""

from dataclasses import dataclass
from uuid import uuid4

from redis.asyncio import Redis

from jobqueue.blobs import Blobs
from jobqueue.queue import JobQueue, Lease
from jobqueue.schema import Attachment, Failed, Finished, JobEvent, Started, Turn, WorkerStatus
from tests.bot.discord.conftest import holds

PROGRAM = "from sympy import *\nx = symbols('x')\nprint(solve(x**2 - 5*x + 6, x))"


@dataclass
class Solver:
    redis: Redis
    capabilities: tuple[str, ...] = ("chat", "solve")
    tools: tuple[str, ...] = ("python",)
    lease: Lease | None = None
    seq: int = 0

    @property
    def queue(self) -> JobQueue:
        return JobQueue(self.redis)

    @property
    def job(self) -> str:
        assert self.lease is not None
        return self.lease.job.id

    async def announce(self) -> None:
        await self.queue.announce(
            WorkerStatus(
                worker="w1",
                phase="ready",
                engine="scripted",
                model="scripted",
                capabilities=self.capabilities,
                slots=1,
                tools=self.tools,
            )
        )

    async def take(self) -> Lease:
        """The next problem, as soon as there is one."""
        taken: list[Lease] = []

        async def claim() -> bool:
            await self.announce()
            nonce = uuid4().hex
            taken.extend(await self.queue.claim("w1", 1, set(self.capabilities), nonce))
            return bool(taken)

        await holds(claim)
        self.lease, self.seq = taken[0], 0
        await self.say(Started(attempt=self.lease.attempt))
        return self.lease

    async def say(self, *events: JobEvent) -> None:
        assert self.lease is not None
        await self.queue.emit(self.lease, self.seq, events)
        self.seq += len(events)

    async def end(self, event: Finished | Failed, prompt: str = "") -> None:
        """`prompt` is remembered in place of the job's own."""
        assert self.lease is not None
        job, turn = self.lease.job, None
        if isinstance(event, Finished):
            turn = Turn(
                job=job.id,
                user=job.user,
                user_name=job.user_name,
                prompt=prompt or job.prompt,
                answer=event.text,
                attachments=job.attachments,
            )
        await self.queue.finish(self.lease, self.seq, event, turn)

    async def figure(self, png: bytes) -> Attachment:
        sha256 = await Blobs(self.redis).put(png)
        return Attachment(sha256=sha256, name="figure-1.png", media_type="image/png", size=len(png))

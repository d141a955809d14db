"""What the queue keeps of a person's questions after they are answered: for a day, so that the same
question is not answered twice. It can be read and removed before.
"""

import asyncio
from collections.abc import AsyncIterator

from redis.asyncio import Redis

from jobqueue.dead_letters import DeadLetters
from jobqueue.queue import JobQueue, decode_job_or_none
from jobqueue.schema import Job, JobState

_PAGE = 500  # records of one round trip


class JobRecords:
    """All calls raise QueueUnavailable while Redis is away."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._scripts = queue.scripts

    async def list_for(self, user: str) -> list[Job]:
        """A person's questions, oldest first."""
        found = [job async for job, _ in self._iterate() if job.user == user]
        return sorted(found, key=lambda job: job.id)

    async def erase(self, user: str) -> int:
        """Remove a person's records, events, dead letters, and the files of no question that
        stays. Returns how many records.

        What is still being answered or shown is left: its record goes a day later.
        """
        mine: list[Job] = []
        kept: set[str] = set()
        async for job, state in self._iterate():
            if job.user == user and state.is_terminal and not await self._is_being_shown(job):
                mine.append(job)
            else:
                kept |= _files(job)
        # Files first: their names are lost with the records, and this may have to be repeated.
        if files := set().union(*map(_files, mine)) - kept:
            await self._scripts.run("drop_blobs", *sorted(files))
        for job in mine:
            await self._scripts.run("erase_record", job.id)
        await self._erase_dead(user)
        return len(mine)

    async def _is_being_shown(self, job: Job) -> bool:
        undelivered = self._scripts.key("undelivered", job.reader)
        return await self._scripts.call("ZSCORE", undelivered, job.id) is not None

    async def _erase_dead(self, user: str) -> None:
        letters = DeadLetters(self._queue)
        for letter in [letter async for letter in letters if letter.job.user == user]:
            await letters.drop(letter.id)

    async def _iterate(self) -> AsyncIterator[tuple[Job, JobState]]:
        keys = await self._scripts.retry(lambda: _listed(self._scripts.redis, self._pattern))
        for start in range(0, len(keys), _PAGE):
            page = keys[start : start + _PAGE]
            reads = (self._scripts.call("HMGET", key, "state", "body") for key in page)
            for state, body in await asyncio.gather(*reads):
                job = (
                    decode_job_or_none(body) if state and body else None
                )  # else it expired meanwhile
                if job is not None:
                    yield job, JobState(state.decode())

    @property
    def _pattern(self) -> str:
        return self._scripts.key("job", "*")


def _files(job: Job) -> set[str]:
    return {attachment.sha256 for attachment in job.attachments}


async def _listed(redis: Redis, pattern: str) -> list[bytes]:
    return [key async for key in redis.scan_iter(pattern, count=1_000)]

"""Records of answered questions, which the queue keeps for a day.

They prevent that the same question is answered twice. A person can read and erase theirs before.
"""

import asyncio
from collections.abc import AsyncIterator

from jobqueue.dead_letters import DeadLetters
from jobqueue.queue import JobQueue, decode_job_or_none
from jobqueue.schema import Job, JobState

_PAGE = 500  # records read at once


class JobRecords:
    """The records of one shard. All calls raise QueueUnavailable while Redis is away."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._scripts = queue.scripts

    async def list_for(self, user: str) -> list[Job]:
        """Return a person's questions, oldest first."""
        found = [job async for job, _ in self._iterate() if job.user == user]
        return sorted(found, key=lambda job: job.id)

    async def erase(self, user: str) -> int:
        """Erase a person's records, events, dead letters and files; return the number of records.

        What is still being answered or delivered stays, and its files: they expire a day later.
        """
        mine: list[Job] = []
        kept: set[str] = set()
        async for job, state in self._iterate():
            undelivered = self._scripts.key("undelivered", job.reader)
            erasable = job.user == user and state.is_terminal
            if erasable and await self._scripts.call("ZSCORE", undelivered, job.id) is None:
                mine.append(job)
            else:
                kept |= _files(job)
        # Files first: the records have their names, and this call may have to be repeated.
        if files := set().union(*map(_files, mine)) - kept:
            await self._scripts.run("drop_blobs", *sorted(files))
        for job in mine:
            await self._scripts.run("erase_record", job.id)
        letters = DeadLetters(self._queue)
        for letter in [letter async for letter in letters if letter.job.user == user]:
            await letters.drop(letter.id)
        return len(mine)

    async def _iterate(self) -> AsyncIterator[tuple[Job, JobState]]:
        keys = await self._scripts.list_keys("job")
        for start in range(0, len(keys), _PAGE):
            page = keys[start : start + _PAGE]
            reads = (self._scripts.call("HMGET", key, "state", "body") for key in page)
            for state, body in await asyncio.gather(*reads):
                if state and body and (job := decode_job_or_none(body)):  # else it expired
                    yield job, JobState(state.decode())


def _files(job: Job) -> set[str]:
    return {attachment.sha256 for attachment in job.attachments}

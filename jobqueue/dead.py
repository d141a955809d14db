"""Dead letters: jobs whose every attempt died, kept for the operator with the reason."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from jobqueue.errors import UnknownJob
from jobqueue.queue import JobQueue, Receipt
from jobqueue.schema import Job, decode_job

_PAGE = 100


@dataclass(frozen=True, slots=True)
class DeadLetter:
    id: str  # in the stream of dead letters
    job: Job
    reason: str
    attempts: int
    worker: str
    at_ms: int


class DeadLetters:
    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue
        self._stream = queue.scripts.key("dead")

    async def __aiter__(self) -> AsyncIterator[DeadLetter]:
        """Oldest first."""
        after = "-"
        while page := await self._range(after, "+", _PAGE):
            for letter in page:
                yield letter
            after = f"({page[-1].id}"

    async def retry(self, letter_id: str) -> Receipt:
        """Submit the job again, with all its attempts and a deadline from now.

        Raises:
            UnknownJob: there is no such letter.
            QueueFull: as any submission.
        """
        return await self._queue.resubmit(await self._get(letter_id), letter_id)

    async def drop(self, letter_id: str) -> None:
        """Raises `UnknownJob` when there is no such letter."""
        await self._get(letter_id)
        scripts = self._queue.scripts
        await scripts.patiently(lambda: scripts.redis.xdel(self._stream, letter_id))

    async def _get(self, letter_id: str) -> Job:
        found = await self._range(letter_id, letter_id, 1)
        if not found:
            raise UnknownJob(letter_id)
        return found[0].job

    async def _range(self, first: str, last: str, count: int) -> list[DeadLetter]:
        scripts = self._queue.scripts
        entries = await scripts.patiently(
            lambda: scripts.redis.xrange(self._stream, first, last, count)
        )
        return [_letter(entry_id, fields) for entry_id, fields in entries]


def _letter(entry_id: bytes, fields: dict[bytes, Any]) -> DeadLetter:
    return DeadLetter(
        id=entry_id.decode(),
        job=decode_job(fields[b"body"]),
        reason=fields[b"reason"].decode(),
        attempts=int(fields[b"attempts"]),
        worker=fields[b"worker"].decode(),
        at_ms=int(fields[b"at"]),
    )

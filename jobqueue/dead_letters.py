"""Dead letters: jobs whose every attempt died, stored for the operator with the reason."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from jobqueue.errors import UnknownJob
from jobqueue.queue import JobQueue, Receipt, decode_job_or_none
from jobqueue.schema import Job

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
        """Yield the letters, oldest first."""
        after = "-"
        while page := await self._range(after, "+", _PAGE):
            for entry_id, fields in page:
                if letter := _decode_letter(entry_id, fields):
                    yield letter
            after = f"({page[-1][0].decode()}"

    async def retry(self, letter_id: str) -> Receipt:
        """Submit the job again, with all its attempts and a deadline from now.

        Raises:
            UnknownJob: there is no such letter.
            QueueFull: as any submission.
        """
        return await self._queue.submit(await self._get(letter_id), dead_letter=letter_id)

    async def drop(self, letter_id: str) -> None:
        """Delete a letter.

        Raises:
            UnknownJob: there is no such letter.
        """
        if not await self._range(letter_id, letter_id, 1):
            raise UnknownJob(letter_id)
        await self._queue.scripts.call("XDEL", self._stream, letter_id)

    async def _get(self, letter_id: str) -> Job:
        for entry_id, fields in await self._range(letter_id, letter_id, 1):
            if letter := _decode_letter(entry_id, fields):
                return letter.job
        raise UnknownJob(letter_id)

    async def _range(
        self, first: str, last: str, count: int
    ) -> list[tuple[bytes, dict[bytes, Any]]]:
        call = self._queue.scripts.call
        entries: list[tuple[bytes, dict[bytes, Any]]] = await call(
            "XRANGE", self._stream, first, last, "COUNT", count
        )
        return entries


def _decode_letter(entry_id: bytes, fields: dict[bytes, Any]) -> DeadLetter | None:
    """Return None if its job cannot be read."""
    job = decode_job_or_none(fields[b"body"])
    if job is None:
        return None
    return DeadLetter(
        id=entry_id.decode(),
        job=job,
        reason=fields[b"reason"].decode(),
        attempts=int(fields[b"attempts"]),
        worker=fields[b"worker"].decode(),
        at_ms=int(fields[b"at"]),
    )

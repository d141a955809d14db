"""Follows jobs' events as they are written, with one blocking read for a whole bot process.

The source of truth is each job's own stream; the reader's live stream is only faster. Each live
entry names the event before it, so a follower notices a gap and replays from its last event.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from msgspec import DecodeError
from redis.exceptions import ResponseError

from jobqueue.errors import UnknownJob
from jobqueue.lua_runner import TRANSIENT_ERRORS, pause_after_outage
from jobqueue.queue import JobQueue
from jobqueue.redis_client import BLOCK_MS, await_cancellable
from jobqueue.schema import TERMINAL_EVENTS, AnyEvent, JobState, decode_event

log = logging.getLogger(__name__)

_QUIET_S = 5.0  # a follower without events for so long replays
_BEGINNING = "0-0"
_ENTRIES = 1_000  # in one read


@dataclass(frozen=True, slots=True)
class Envelope:
    id: str  # in the job's event stream; `follow` continues after it
    attempt: int
    seq: int
    event: AnyEvent

    @property
    def at_ms(self) -> int:
        """The server's time at which it was written."""
        return _parse_id(self.id)[0]


@dataclass(frozen=True, slots=True)
class _Arrival:
    previous: str
    envelope: Envelope


_Inbox = asyncio.Queue[_Arrival | None]  # None: events may be missing, replay


class EventReader:
    """The reader of one bot process: `async with EventReader(queue, reader) as events:`."""

    def __init__(self, queue: JobQueue, reader: str) -> None:
        self._scripts = queue.scripts
        self._stream = self._scripts.key("live", reader)
        self._reader = reader
        self._inboxes: dict[str, set[_Inbox]] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        newest = await self._scripts.call("XREVRANGE", self._stream, "+", "-", "COUNT", 1)
        self._task = asyncio.create_task(self._read(newest[0][0].decode() if newest else "0"))
        return self

    async def __aexit__(self, *exc: object) -> None:
        # redis-py may swallow a cancellation that arrives with a reply: repeat it.
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.1)

    @property
    def follower_count(self) -> int:
        """The number of followers at this moment."""
        return sum(map(len, self._inboxes.values()))

    async def follow(self, job_id: str, after: str = "0") -> AsyncGenerator[Envelope, None]:
        """Yield a job's events after the id `after`, as they come, to `Finished` or `Failed`.

        Raises:
            UnknownJob: there is no such job, or all of it has expired.
            QueueUnavailable: Redis stayed away; follow again from the last id.
            msgspec.DecodeError: a worker of another version wrote an event unknown to this one.
        """
        seen = _BEGINNING if after == "0" else after
        with self._open_inbox(job_id) as inbox:
            while True:
                envelopes, complete = await self._replay(job_id, seen)
                for envelope in envelopes:
                    seen = envelope.id
                    yield envelope
                if complete:
                    return
                while arrival := await _next_arrival(inbox):
                    if _parse_id(arrival.envelope.id) <= _parse_id(seen):
                        continue
                    if arrival.previous != seen:
                        break
                    seen = arrival.envelope.id
                    yield arrival.envelope
                    if isinstance(arrival.envelope.event, TERMINAL_EVENTS):
                        return

    async def _replay(self, job_id: str, seen: str) -> tuple[list[Envelope], bool]:
        """Load the job's events after `seen`; return them, and whether the job has ended."""
        state, tail, result, entries = await self._scripts.run("replay", job_id, seen)
        envelopes = [
            _decode_envelope(entry_id.decode(), _pairs(flat)) for entry_id, flat in entries
        ]
        if state is None and not envelopes:
            raise UnknownJob(job_id)
        ended = state is not None and JobState(state.decode()).is_terminal
        if ended and not envelopes and tail.decode() != seen:
            if result is None:
                raise UnknownJob(job_id)
            envelopes = [Envelope(tail.decode(), 0, 0, decode_event(result))]
        return envelopes, ended

    @contextmanager
    def _open_inbox(self, job_id: str) -> Iterator[_Inbox]:
        inbox: _Inbox = asyncio.Queue()
        self._inboxes.setdefault(job_id, set()).add(inbox)
        try:
            yield inbox
        finally:
            self._inboxes[job_id].discard(inbox)
            if not self._inboxes[job_id]:
                del self._inboxes[job_id]

    async def _read(self, position: str) -> None:
        interrupted = False
        while True:
            try:
                entries = await self._read_entries(position)
            except (*TRANSIENT_ERRORS, ResponseError) as error:
                if not interrupted:
                    log.warning("live stream interrupted reader=%s error=%r", self._reader, error)
                interrupted = True
                await pause_after_outage(0.5)
                continue
            if interrupted:
                interrupted = False
                log.info("live stream resumed reader=%s", self._reader)
                for inboxes in self._inboxes.values():
                    for inbox in inboxes:
                        inbox.put_nowait(None)  # so that followers replay
            for entry_id, fields in entries:
                position = entry_id.decode()
                self._deliver(fields)

    async def _read_entries(self, position: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """Wait for entries for a while; return none if nothing comes."""
        read = self._scripts.redis.xread({self._stream: position}, count=_ENTRIES, block=BLOCK_MS)
        reply: Any = await await_cancellable(read)
        return reply[0][1] if reply else []

    def _deliver(self, fields: dict[bytes, bytes]) -> None:
        inboxes = self._inboxes.get(fields[b"job"].decode())
        if not inboxes:
            return
        try:
            envelope = _decode_envelope(fields[b"id"].decode(), fields)
        except DecodeError:  # of a newer version: followers raise it as they replay
            arrival = None
        else:
            arrival = _Arrival(fields[b"previous"].decode(), envelope)
        for inbox in inboxes:
            inbox.put_nowait(arrival)


async def _next_arrival(inbox: _Inbox) -> _Arrival | None:
    try:
        async with asyncio.timeout(_QUIET_S):
            return await inbox.get()
    except TimeoutError:
        return None


def _pairs(flat: list[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _decode_envelope(entry_id: str, fields: dict[bytes, Any]) -> Envelope:
    return Envelope(
        entry_id, int(fields[b"attempt"]), int(fields[b"seq"]), decode_event(fields[b"event"])
    )


def _parse_id(entry_id: str) -> tuple[int, int]:
    milliseconds, _, counter = entry_id.partition("-")
    return int(milliseconds), int(counter or 0)

"""The worker's end of one job's event stream."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

from jobqueue.errors import QueueUnavailable
from jobqueue.queue import JobQueue, Lease, LeaseStatus
from jobqueue.schema import AnyEvent, Delta, Failed, Finished, ReasoningDelta, ToolCallDelta, Turn

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_FIRST_S = 0.1
RETRY_MOST_S = 2.0


async def retry_transient(call: Callable[[], Awaitable[T]]) -> T:
    """Repeats `call` while Redis cannot be reached: every call to the queue may be repeated."""
    pause = RETRY_FIRST_S
    while True:
        try:
            return await call()
        except QueueUnavailable:
            log.warning("redis cannot be reached, trying again", extra={"pause_s": pause})
            await asyncio.sleep(pause)
            pause = min(2 * pause, RETRY_MOST_S)


class Emitter:
    """Numbers the events of one attempt and gets them to Redis, however long Redis is away."""

    def __init__(
        self, queue: JobQueue, lease: Lease, *observers: Callable[[Sequence[AnyEvent]], None]
    ) -> None:
        """Each of the `observers` is called with all events."""
        self._queue = queue
        self._lease = lease
        self._observers = observers
        self._seq = 0

    async def emit(self, events: Sequence[AnyEvent]) -> LeaseStatus:
        """Emit events and renew the lease; `events` may be empty."""
        seq = self._seq
        self._seq += len(events)
        self._record(events)
        return await retry_transient(lambda: self._queue.emit(self._lease, seq, events))

    async def finish(self, event: Finished | Failed, turn: Turn | None = None) -> LeaseStatus:
        self._record([event])
        return await retry_transient(
            lambda: self._queue.finish(self._lease, self._seq, event, turn)
        )

    def _record(self, events: Sequence[AnyEvent]) -> None:
        for observe in self._observers:
            observe(events)


async def batches(
    source: AsyncGenerator[T, None], *, every_s: Callable[[], float], idle_s: float
) -> AsyncGenerator[list[T], None]:
    """Yield the items of `source`: the first at once, later ones gathered for `every_s()`.

    An empty batch comes after each `idle_s` of silence. An error of `source` is raised after
    everything that it yielded. Closing this generator closes `source`.
    """
    pending: list[T] = []
    arrived = asyncio.Event()

    async def pump() -> None:
        async with aclosing(source) as items:
            async for item in items:
                pending.append(item)
                arrived.set()

    around = asyncio.current_task()
    pumping = asyncio.create_task(pump(), name=around.get_name() if around else None)
    pumping.add_done_callback(lambda _: arrived.set())
    try:
        while pending or not pumping.done():
            try:
                # Not `wait_for`, which before Python 3.12 drops a cancellation that comes as the
                # waiting ends.
                async with asyncio.timeout(idle_s):
                    await arrived.wait()
            except TimeoutError:
                yield []
                continue
            arrived.clear()
            batch, pending[:] = pending[:], []
            if batch:
                yield batch
                await asyncio.wait([pumping], timeout=every_s())
            if pumping.done():
                arrived.set()
        await pumping
    finally:
        pumping.cancel()
        await asyncio.wait([pumping])


def merge_events(events: Sequence[AnyEvent]) -> list[AnyEvent]:
    """Merge each event that continues the one before it."""
    whole: list[AnyEvent] = []
    for event in events:
        match whole[-1] if whole else None, event:
            case Delta(text=before, anew=anew), Delta(text=more, anew=False):
                whole[-1] = Delta(text=before + more, anew=anew)
            case ReasoningDelta(text=before), ReasoningDelta(text=more):
                whole[-1] = ReasoningDelta(text=before + more)
            case ToolCallDelta(step=step, text=before), ToolCallDelta(text=more) if (
                step == event.step
            ):
                whole[-1] = ToolCallDelta(step=step, tool=event.tool, text=before + more)
            case _:
                whole.append(event)
    return whole

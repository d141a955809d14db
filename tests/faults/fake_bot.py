"""The bot's side of the queue without Discord: submit, follow, show, note, deliver.

It has no state of its own: what a killed one left is in the ledger and in the message log.
"""

import asyncio

import msgspec

from jobqueue.errors import QueueFull, QueueUnavailable
from jobqueue.event_reader import Envelope, EventReader
from jobqueue.queue import JobQueue, Receipt
from jobqueue.schema import Delta, Failed, Finished, Job, Started
from tests.faults.message_log import LogLine, MessageLog

_PAUSE_S = 0.1


class DeliveryNote(msgspec.Struct):
    """The ledger's note on one answer, from which another process can continue."""

    nonce: str
    first_id: str = ""
    last_id: str = "0"
    text: str = ""
    torn: bool = False  # the parts and the whole text differ


async def submit(queue: JobQueue, job: Job) -> Receipt:
    """Submit the job; repeat until the queue accepts it."""
    while True:
        try:
            return await queue.submit(job)
        except (QueueUnavailable, QueueFull):
            await asyncio.sleep(_PAUSE_S)


async def answer(queue: JobQueue, live: EventReader, job: Job, note: str, wall: MessageLog) -> None:
    """Show the submitted job's answer to its end, starting at `note`."""
    draft = (
        msgspec.json.decode(note, type=DeliveryNote) if note else DeliveryNote(nonce=f"{job.id}.0")
    )
    while True:
        try:
            await _follow(queue, live, job, draft, wall)
        except QueueUnavailable:
            await asyncio.sleep(_PAUSE_S)
        else:
            return


async def _follow(
    queue: JobQueue, live: EventReader, job: Job, draft: DeliveryNote, wall: MessageLog
) -> None:
    async for envelope in live.follow(job.id, draft.last_id):
        first_words = _apply(draft, envelope)
        if first_words:
            wall.show(LogLine(job.id, draft.nonce, draft.text))
            await queue.note_delivery(job.id, msgspec.json.encode(draft).decode())
    if draft.torn:
        wall.show(LogLine(job.id, f"{draft.nonce}.torn", draft.text))
    wall.show(LogLine(job.id, draft.nonce, draft.text, True, draft.first_id, draft.last_id))
    await queue.mark_delivered(job.id)


def _apply(draft: DeliveryNote, envelope: Envelope) -> bool:
    """Apply an event to the draft; return whether it has the attempt's first text."""
    draft.last_id, before = envelope.id, draft.text
    match envelope.event:
        case Started():
            draft.first_id, draft.text = draft.first_id or envelope.id, ""
        case Delta(text=text):
            draft.text += text
        case Finished(text=text):
            draft.torn = draft.torn or text != draft.text
            draft.text = text
        case Failed(code=code):
            draft.text = f"failed: {code}"
    return isinstance(envelope.event, Delta) and not before


async def load_undelivered(queue: JobQueue, reader: str) -> list[tuple[Job, str]]:
    """Load the reader's undelivered jobs; repeat until Redis answers."""
    while True:
        try:
            return await queue.list_undelivered(reader)
        except QueueUnavailable:
            await asyncio.sleep(_PAUSE_S)

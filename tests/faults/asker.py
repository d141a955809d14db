"""The bot's side of the queue without Discord: submit, follow, show, record, deliver.

It keeps nothing of its own: whatever a killed one left behind is in the ledger and on the wall.
"""

import asyncio

import msgspec

from jobqueue.errors import QueueFull, QueueUnavailable
from jobqueue.event_reader import Envelope, EventReader
from jobqueue.queue import JobQueue, Receipt
from jobqueue.schema import Delta, Failed, Finished, Job, Started
from tests.faults.wall import Line, Wall

_PAUSE_S = 0.1


class Note(msgspec.Struct):
    """What the ledger holds of one answer: enough to go on where it stopped."""

    nonce: str
    first_id: str = ""
    last_id: str = "0"
    text: str = ""
    torn: bool = False  # the pieces and the whole disagreed


async def submit(queue: JobQueue, job: Job) -> Receipt:
    """Until the queue has it."""
    while True:
        try:
            return await queue.submit(job)
        except (QueueUnavailable, QueueFull):
            await asyncio.sleep(_PAUSE_S)


async def answer(queue: JobQueue, live: EventReader, job: Job, note: str, wall: Wall) -> None:
    """Show the submitted job's answer to its end, from where `note` says."""
    draft = msgspec.json.decode(note, type=Note) if note else Note(nonce=f"{job.id}.0")
    while True:
        try:
            await _follow(queue, live, job, draft, wall)
        except QueueUnavailable:
            await asyncio.sleep(_PAUSE_S)
        else:
            return


async def _follow(queue: JobQueue, live: EventReader, job: Job, draft: Note, wall: Wall) -> None:
    async for envelope in live.follow(job.id, draft.last_id):
        first_words = _add(draft, envelope)
        if first_words:
            wall.show(Line(job.id, draft.nonce, draft.text))
            await queue.note_delivery(job.id, msgspec.json.encode(draft).decode())
    if draft.torn:
        wall.show(Line(job.id, f"{draft.nonce}.torn", draft.text))
    wall.show(Line(job.id, draft.nonce, draft.text, True, draft.first_id, draft.last_id))
    await queue.mark_delivered(job.id)


def _add(draft: Note, envelope: Envelope) -> bool:
    """Whether the attempt's first words came with this event."""
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


async def undelivered(queue: JobQueue, reader: str) -> list[tuple[Job, str]]:
    """Until the queue says it."""
    while True:
        try:
            return await queue.list_undelivered(reader)
        except QueueUnavailable:
            await asyncio.sleep(_PAUSE_S)

"""Summarises older turns before they drop out of the context.

The model itself writes it, after an answer, once a channel's turns fill most of the context. It
stands for the older part of them from then on; the newer part is read word for word. What can be
seen of it is in `/history` and below the answers that it was read for.

It never delays an answer: it is written only while few are, and given up at once when more come.
Nothing is lost when it is given up, or dies with its worker: the turns are all still there, and the
next answer in the channel brings it up again.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from inference import reasoning
from inference.chat_attempt import ANSWER_SHARE, summary_messages
from inference.engines.base import Engine, EngineError, Message, Request
from jobqueue.errors import QueueUnavailable
from jobqueue.history import History, count_turn_tokens
from jobqueue.schema import Sampling, Summary, Turn

log = logging.getLogger(__name__)

FULL = 3 / 4  # of the room for turns; from here on it is time
KEPT = 1 / 2  # of that room, for the newest turns
SUMMARY_SHARE = 8  # of the context, one part of so many is a summary at most
MOST_TOKENS = 400
CROWD_SHARE = 8  # of the slots, one part of so many may be answering meanwhile

TASK = (
    "You keep the minutes of a conversation between people and an assistant. Write down what the "
    "assistant needs in order to go on with it: who asked for what, facts, names, numbers, "
    "decisions, wishes about how to answer, and what is still open. Write in the language of the "
    "conversation, in short plain sentences, and nothing but the minutes."
)


class Summarizer:
    def __init__(self, history: History, engine: Engine) -> None:
        self._history = history
        self._engine = engine
        self._due: dict[str, str] = {}  # channels, and the turn they have come to
        self._wake = asyncio.Event()
        self._writing: asyncio.Task[bool] | None = None
        self._answering = 0

    def note_answer(self, channel: str, turn: str) -> None:
        """Look at the channel when there is time."""
        self._due[channel] = turn
        self._wake.set()

    def answering(self, count: int) -> None:
        """Set how many answers are being written now."""
        self._answering = count
        self._wake.set()
        if self._is_crowded and self._writing is not None:
            self._writing.cancel()

    @property
    def _is_crowded(self) -> bool:
        return self._answering > self._engine.slots // CROWD_SHARE

    async def run(self) -> None:
        """Summarize conversations until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._due and not self._is_crowded:
                await self._next()

    async def _next(self) -> None:
        channel, turn = self._due.popitem()
        self._writing = asyncio.create_task(self.compact(channel, turn))
        try:
            await asyncio.wait([self._writing])
        finally:
            self._writing.cancel()
        if self._writing.cancelled():
            self._due.setdefault(channel, turn)
        elif error := self._writing.exception():
            log.error("no summary", exc_info=error, extra={"channel": channel})

    async def compact(self, channel: str, turn: str) -> bool:
        """Summarise what is old on the way to `turn`, if it is time; whether it was done."""
        with suppress(EngineError, QueueUnavailable):  # the turns are as they were
            loaded = await self._history.load_since_summary(channel, turn)
            old = self._old(loaded.turns, loaded.summary)
            if old and (summary := await self._write(channel, old, loaded.summary)):
                return await self._history.store_summary(channel, summary, old, loaded.summary)
        return False

    def _old(self, turns: Sequence[Turn], summary: Summary | None) -> Sequence[Turn]:
        """The turns that are to be summarised now, the oldest first; as many as can be read."""
        room = self._engine.context_tokens * (ANSWER_SHARE - 1) // ANSWER_SHARE
        sizes = [count_turn_tokens(turn) for turn in turns]
        if sum(sizes) + (summary.tokens if summary else 0) < FULL * room:
            return ()
        cut, kept = len(turns), 0
        while cut and kept + sizes[cut - 1] <= KEPT * room:
            cut -= 1
            kept += sizes[cut]
        read = 0
        while read < cut and sum(sizes[: read + 1]) <= KEPT * room:
            read += 1
        return turns[: max(read, min(cut, 1))]

    async def _write(
        self, channel: str, old: Sequence[Turn], before: Summary | None
    ) -> Summary | None:
        """Write a summary, or return None if the model gives none."""
        most = min(MOST_TOKENS, self._engine.context_tokens // SUMMARY_SHARE)
        request = Request(
            id=f"summary.{channel}.{old[-1].job}",
            channel=channel,
            messages=(Message("system", TASK), Message("user", transcript(old, before))),
            sampling=Sampling(temperature=0.0, max_tokens=most),
        )
        said, tokens = "", 0
        async for chunk in self._engine.generate(request):
            said = chunk.added_to(said)
            tokens = chunk.usage.completion_tokens if chunk.usage else tokens
        _, text = reasoning.split(said, ended=True)
        if not text.strip():
            return None
        turns = len(old) + (before.turns if before else 0)
        log.info("turns summarised", extra={"channel": channel, "turns": turns})
        summary = Summary(turn=old[-1].job, text=text.strip(), turns=turns, tokens=tokens)
        told = await self._engine.count_tokens(tuple(summary_messages(summary)))
        return Summary(turn=summary.turn, text=summary.text, turns=turns, tokens=told)


def transcript(turns: Sequence[Turn], before: Summary | None) -> str:
    """The conversation, written as one text: what is said in it tells nobody what to do."""
    begin = [f"Minutes so far:\n{before.text}"] if before else []
    said = [f"{t.user_name}: {t.prompt}\n\nAssistant: {t.answer}" for t in turns]
    return "\n\n".join([*begin, *said, "Now write the minutes of all of this."])

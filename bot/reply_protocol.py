"""The seam between asking and whatever shows the answer.

`bot.discord.delivery.discord_reply` shows it in Discord; `ReplyTranscript` keeps it for tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from bot.agent_trace import NOTHING, Work
from bot.notices import Notice
from jobqueue.article import Article
from jobqueue.schema import Check, FinishReason, Progress

READ_CHARS = 300  # of a picture's text, below an answer
NOTHING_READ = Notice("note-read-nothing")


@dataclass(frozen=True)
class AnswerOutcome:
    """How an answer ended."""

    reason: FinishReason = FinishReason.STOP
    omitted_turns: int = 0  # older turns that the model was not shown
    check: Check | None = None  # None where nobody expects one
    work: Work = NOTHING  # what was done for it
    summarised_turns: int = 0  # those before the omitted ones, which it knew in short
    formulas: bool = False  # that can be copied
    unseen_pictures: int = 0  # of the conversation, that the model was not shown
    article: Article | None = None  # as it is laid out

    def footnotes(self) -> Iterator[Notice]:
        """What the person should know about this answer, besides its text."""
        if self.reason in _FOOTNOTES:
            yield Notice(_FOOTNOTES[self.reason])
        if self.omitted_turns:
            yield Notice("note-omitted", arguments={"turns": self.omitted_turns})
        if self.summarised_turns:
            yield Notice("note-summarised", arguments={"turns": self.summarised_turns})
        if self.unseen_pictures:
            yield Notice("note-unseen", arguments={"pictures": self.unseen_pictures})
        if self.work.read is not None:
            yield _read(self.work.read)


def _read(text: str) -> Notice:
    """In one line; all of it is in the steps."""
    line = " ".join(text.split()).replace("`", "'")
    cut = f"{line[:READ_CHARS]}…" if len(line) > READ_CHARS else line
    return Notice("note-read", arguments={"text": f"`{cut}`"}) if cut else NOTHING_READ


_FOOTNOTES = {
    FinishReason.CANCELLED: "note-stopped",
    FinishReason.LENGTH: "note-length",
    FinishReason.DEADLINE: "note-deadline",
}


class AnswerReply(Protocol):
    """One question's answer, as a person sees it grow."""

    def show_status(self, notice: Notice) -> None:
        """Say why there is nothing to read yet; returns at once, the newest call wins."""
        ...

    def update(self, text: str, work: Work = NOTHING, progress: Progress | None = None) -> None:
        """Show `text`, all of it so far, what was done for it, and how far an article is; returns
        at once, the newest call wins."""
        ...

    async def finish(self, text: str, outcome: AnswerOutcome) -> None:
        """Show the complete answer; returns when the person can see it all."""
        ...

    async def fail(self, notice: Notice, text: str = "", work: Work = NOTHING) -> None:
        """Say why there is no answer, or only `text`; returns when the person can see it."""
        ...


@dataclass
class ReplyTranscript:
    """A `Reply` that keeps what it is given."""

    statuses: list[Notice] = field(default_factory=list)
    updates: list[str] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    answer: str | None = None
    outcome: AnswerOutcome | None = None
    failure: Notice | None = None

    def show_status(self, notice: Notice) -> None:
        self.statuses.append(notice)

    def update(self, text: str, work: Work = NOTHING, progress: Progress | None = None) -> None:
        self.updates.append(text)
        self.works.append(work)
        self.progress += [progress] if progress else []

    async def finish(self, text: str, outcome: AnswerOutcome) -> None:
        self.answer, self.outcome = text, outcome

    async def fail(self, notice: Notice, text: str = "", work: Work = NOTHING) -> None:
        self.failure, self.answer = notice, text or None
        self.works.append(work)

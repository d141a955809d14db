"""The interface of a reply that shows an answer, and how an answer ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from bot.agent_trace import NOTHING, AgentTrace
from bot.notices import Notice
from jobqueue.article import Article
from jobqueue.schema import ArticleProgress, Check, FinishReason

READ_CHARS = 300  # of a picture's text, below an answer
NOTHING_READ = Notice("note-read-nothing")


@dataclass(frozen=True)
class AnswerOutcome:
    """The end of an answer: why it ended, and what belongs to it besides its text."""

    reason: FinishReason = FinishReason.STOP
    omitted_turns: int = 0  # older turns that the model was not shown
    check: Check | None = None  # None if no check is expected
    work: AgentTrace = NOTHING  # the steps of the answer
    summarised_turns: int = 0  # turns before the omitted ones, which the model knew as a summary
    formulas: bool = False  # that can be copied
    unseen_pictures: int = 0  # of the conversation, that the model was not shown
    article: Article | None = None  # as it is laid out

    def footnotes(self) -> Iterator[Notice]:
        """Yield notes that the person should read below this answer."""
        if self.reason in _FOOTNOTES:
            yield Notice(_FOOTNOTES[self.reason])
        if self.omitted_turns:
            yield Notice("note-omitted", arguments={"turns": self.omitted_turns})
        if self.summarised_turns:
            yield Notice("note-summarised", arguments={"turns": self.summarised_turns})
        if self.unseen_pictures:
            yield Notice("note-unseen", arguments={"pictures": self.unseen_pictures})
        if self.work.image_text is not None:
            yield _quote_image_text(self.work.image_text)


def _quote_image_text(text: str) -> Notice:
    """Return a note with the text that was read in pictures, cut to one line."""
    line = " ".join(text.split()).replace("`", "'")
    cut = f"{line[:READ_CHARS]}…" if len(line) > READ_CHARS else line
    return Notice("note-read", arguments={"text": f"`{cut}`"}) if cut else NOTHING_READ


_FOOTNOTES = {
    FinishReason.CANCELLED: "note-stopped",
    FinishReason.LENGTH: "note-length",
    FinishReason.REPETITION: "note-repetition",
    FinishReason.DEADLINE: "note-deadline",
}


class AnswerReply(Protocol):
    """A reply that shows an answer while it grows."""

    def show_status(self, notice: Notice) -> None:
        """Show why there is nothing to read yet. Returns at once; the newest call wins."""
        ...

    def update(
        self, text: str, work: AgentTrace = NOTHING, progress: ArticleProgress | None = None
    ) -> None:
        """Show all of the text so far, its steps, and an article's progress. Returns at once; the
        newest call wins."""
        ...

    async def finish(self, text: str, outcome: AnswerOutcome) -> None:
        """Show the complete answer. Returns when the person can see it all."""
        ...

    async def fail(self, notice: Notice, text: str = "", work: AgentTrace = NOTHING) -> None:
        """Show why there is no answer, or only `text`. Returns when the person can see it."""
        ...

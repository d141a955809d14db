"""What became of each question, judged by what its asker can see at the end.

A question was *answered* when a full answer is visible, *told* when a clear notice is, *lost*
when neither is, and *doubled* when more than one answer is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from bot.render.formulas import extract
from playground.discord.components import CONTAINER, message_text, walk
from playground.discord.json_types import MessageFlag
from playground.discord.state import StoredMessage

# discord.Colour.greyple(): the bot's cards that only say how long the answer will take.
WAITING_COLOUR = 0x99AAB5
# Those of its boxes of components that say why there is no answer.
NOTICE_COLOURS = (0xE74C3C, 0xF59F00)
CHECK_MARKS = ("✅", "❌", "⚪")  # what the cards below solutions begin with
STOP_BUTTON = "stop:"  # what its custom_id begins with; it is there while an answer grows
# A further message continues an answer only where the one before it is nearly full; a splitter
# that looks for a good place may leave some room.
FULL_PART = 1000  # characters
SAME_START = 30  # characters in common at the beginning: the same answer again


class QuestionOutcome(StrEnum):
    OPEN = "open"  # something is still to come
    ANSWERED = "answered"
    TOLD = "told"
    LOST = "lost"


@dataclass(eq=False)
class ScriptQuestion:
    """`id` is the interaction's or message's; None where Discord's client refused to send it."""

    action: int
    id: str | None
    result: str | None = None  # the whole answer, where the queue knows it
    refused: bool = False  # by Discord's client, or because no bot was connected
    failed: bool = False  # "The application did not respond"
    form_open: bool = False  # it was answered by a form, which nobody has sent yet
    messages: list[StoredMessage] = field(
        default_factory=list
    )  # visible to the asker, oldest first

    @property
    def outcome(self) -> QuestionOutcome:
        if self.refused:
            return QuestionOutcome.TOLD
        if not self.messages:
            return QuestionOutcome.TOLD if self.form_open else QuestionOutcome.LOST
        if any(map(is_pending, self.messages)):
            return QuestionOutcome.OPEN
        if any(map(_has_notice, self.messages)):
            return QuestionOutcome.TOLD
        return (
            QuestionOutcome.ANSWERED
            if contains_result(self.messages, self.result)
            else QuestionOutcome.LOST
        )

    @property
    def is_open(self) -> bool:
        """Whether an answer may still come."""
        if self.outcome is QuestionOutcome.LOST:
            return not self.messages and not self.failed
        return self.outcome is QuestionOutcome.OPEN

    @property
    def is_doubled(self) -> bool:
        """Two answers, two notices, or an answer and a notice apart from it."""
        finished = [m for m in self.messages if not is_pending(m)]
        apart = any(not _is_continuation(before, after) for before, after in pairwise(finished))
        return apart or (_has_equal_starts(finished) and exceeds_result(finished, self.result))


def _has_notice(message: StoredMessage) -> bool:
    """Whether it carries a notice; a card on how far an answer was checked is none."""
    boxes = [part for part in walk(message.data["components"]) if part["type"] == CONTAINER]
    if any(box.get("accent_color") in NOTICE_COLOURS for box in boxes):
        return True
    cards = message.data["embeds"]
    return any(not str(card.get("description")).startswith(CHECK_MARKS) for card in cards)


def is_pending(message: StoredMessage) -> bool:
    """Whether more is promised: thinking, a card about waiting, or a Stop button."""
    if MessageFlag.LOADING in message.flags:
        return True
    if any(embed.get("color") == WAITING_COLOUR for embed in message.data["embeds"]):
        return True
    return any(
        str(component.get("custom_id")).startswith(STOP_BUTTON)
        for component in walk(message.data["components"])
    )


def contains_result(messages: Sequence[StoredMessage], result: str | None) -> bool:
    """Whether all letters and digits of `result` are visible, in order.

    The rest may differ: a splitter closes and opens code fences, a footnote may follow. Formulas
    may be Unicode or pictures, so only what stands around them counts.
    """
    shown = "\n".join(filter(None, map(_visible_text, messages)))
    if result is None:
        return bool(shown)
    letters = iter(_alphanumerics(shown))
    return all(letter in letters for letter in _alphanumerics(_remove_formulas(result)))


def exceeds_result(messages: Sequence[StoredMessage], result: str | None) -> bool:
    """Whether more is visible than `result` and notes below it; a model may repeat itself."""
    shown = "\n".join(message_text(message.data) for message in messages)
    return (
        result is None or len(_alphanumerics(shown)) > len(_alphanumerics(result)) + FULL_PART / 2
    )


def _visible_text(message: StoredMessage) -> str:
    """Its text and what its pictures are said to show."""
    said = (picture.get("description") or "" for picture in message.data["attachments"])
    return "\n".join((message_text(message.data), *said)).strip()


def _remove_formulas(text: str) -> str:
    return "".join(segment for segment in extract(text) if isinstance(segment, str))


def _alphanumerics(text: str) -> list[str]:
    return [c for c in text if c.isalnum()]


def _is_continuation(before: StoredMessage, after: StoredMessage) -> bool:
    """A notice may follow the parts of an answer; a part follows only one that is full, or that
    a picture ends."""
    if _has_notice(before):
        return False
    if before.data["attachments"]:
        return True
    return len(message_text(before.data)) >= FULL_PART or message_text(after.data).startswith("-# ")


def _has_equal_starts(messages: Sequence[StoredMessage]) -> bool:
    starts = [text[:SAME_START] for text in (message_text(m.data) for m in messages) if text]
    return len(set(starts)) < len(starts)


@dataclass(frozen=True, slots=True)
class ScriptSummary:
    asked: int
    answered: int
    told: int
    lost: int
    doubled: int

    @property
    def is_success(self) -> bool:
        return self.lost == 0 and self.doubled == 0


def summarize(questions: Sequence[ScriptQuestion]) -> ScriptSummary:
    outcomes = [question.outcome for question in questions]
    return ScriptSummary(
        asked=len(questions),
        answered=outcomes.count(QuestionOutcome.ANSWERED),
        told=outcomes.count(QuestionOutcome.TOLD),
        lost=outcomes.count(QuestionOutcome.LOST) + outcomes.count(QuestionOutcome.OPEN),
        doubled=sum(question.is_doubled for question in questions),
    )

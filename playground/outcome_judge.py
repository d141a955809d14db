"""The outcome of each question of a script, by what its asker can see at the end.

A question is *answered* when a complete answer is visible, *told* when a clear notice is, *lost*
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

# discord.Colour.greyple(), of the bot's embeds that only announce the waiting time.
WAITING_COLOUR = 0x99AAB5
# Of the bot's containers that explain why there is no answer.
NOTICE_COLOURS = (0xE74C3C, 0xF59F00)
CHECK_MARKS = ("✅", "❌", "⚪")  # the first characters of the embeds below solutions
STOP_BUTTON = "stop:"  # the prefix of its custom_id; an incomplete answer has one
# Characters of a message that a further one may continue. The splitter leaves some room where it
# looks for a good place.
FULL_PART = 1000
SAME_START = 30  # characters that two copies of the same answer have in common


class QuestionOutcome(StrEnum):
    OPEN = "open"  # something is still to come
    ANSWERED = "answered"
    TOLD = "told"
    LOST = "lost"


@dataclass(eq=False)
class ScriptQuestion:
    """A question with its visible answers.

    `id` is the interaction's or message's, or None where Discord's client refused to send it.
    """

    action: int
    id: str | None
    result: str | None = None  # the complete answer, where the queue has it
    refused: bool = False  # by Discord's client, or because no bot was connected
    failed: bool = False  # "The application did not respond"
    form_open: bool = False  # the answer was a modal, which nobody has submitted yet
    # The messages that the asker can see, the oldest first.
    messages: list[StoredMessage] = field(default_factory=list)

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
        if contains_result(self.messages, self.result):
            return QuestionOutcome.ANSWERED
        return QuestionOutcome.LOST

    @property
    def is_open(self) -> bool:
        """True while an answer may still come."""
        if self.outcome is QuestionOutcome.LOST:
            return not self.messages and not self.failed
        return self.outcome is QuestionOutcome.OPEN

    @property
    def is_doubled(self) -> bool:
        """True for two answers, two notices, or an answer and a separate notice."""
        finished = [m for m in self.messages if not is_pending(m)]
        apart = any(not _is_continuation(before, after) for before, after in pairwise(finished))
        return apart or (_has_equal_starts(finished) and exceeds_result(finished, self.result))


def _has_notice(message: StoredMessage) -> bool:
    """Return whether a message has a notice. The embed on an answer's check is none."""
    containers = [part for part in walk(message.data["components"]) if part["type"] == CONTAINER]
    if any(container.get("accent_color") in NOTICE_COLOURS for container in containers):
        return True
    texts = [str(embed.get("description")) for embed in message.data["embeds"]]
    return any(not text.startswith(CHECK_MARKS) for text in texts)


def is_pending(message: StoredMessage) -> bool:
    """Return whether a message promises more: thinking, a waiting time, or a Stop button."""
    if MessageFlag.LOADING in message.flags:
        return True
    if any(embed.get("color") == WAITING_COLOUR for embed in message.data["embeds"]):
        return True
    return any(
        str(component.get("custom_id")).startswith(STOP_BUTTON)
        for component in walk(message.data["components"])
    )


def contains_result(messages: Sequence[StoredMessage], result: str | None) -> bool:
    """Return whether all letters and digits of `result` are visible, in order.

    Other characters may differ: the splitter closes and opens code fences, and a footnote may
    follow. Formulas do not count, because they may be Unicode or pictures.
    """
    shown = "\n".join(filter(None, map(_visible_text, messages)))
    if result is None:
        return bool(shown)
    letters = iter(_alphanumerics(shown))
    return all(letter in letters for letter in _alphanumerics(_remove_formulas(result)))


def exceeds_result(messages: Sequence[StoredMessage], result: str | None) -> bool:
    """Return whether more is visible than `result` and notes below it.

    A model may repeat itself, so equal texts alone are no second answer.
    """
    shown = "\n".join(message_text(message.data) for message in messages)
    if result is None:
        return True
    return len(_alphanumerics(shown)) > len(_alphanumerics(result)) + FULL_PART / 2


def _visible_text(message: StoredMessage) -> str:
    """Return the text of a message and the descriptions of its pictures."""
    descriptions = (file.get("description") or "" for file in message.data["attachments"])
    return "\n".join((message_text(message.data), *descriptions)).strip()


def _remove_formulas(text: str) -> str:
    return "".join(segment for segment in extract(text) if isinstance(segment, str))


def _alphanumerics(text: str) -> list[str]:
    return [c for c in text if c.isalnum()]


def _is_continuation(before: StoredMessage, after: StoredMessage) -> bool:
    """Return whether a message continues the one before it.

    A part follows a part that is full or ends with a picture. A notice may follow any part.
    """
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

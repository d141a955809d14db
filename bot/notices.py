"""Notices: what the bot tells people when there is no answer, or not yet.

A notice has a key and arguments, so that everybody reads it in their own language. The exception
`QuestionRefused` carries one to the place where the person can be told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from bot.i18n import Argument, Words
from bot.render.format_answer import escape_markdown
from bot.render.link_defang import harmless_links
from jobqueue.article import ArticleStage
from jobqueue.errors import QueueFull
from jobqueue.rate_limit import DAY_MS, RateExceeded
from jobqueue.schema import ArticleProgress, Check, FailureCode


class Tone(Enum):
    FAILURE = "failure"  # something broke
    LIMIT = "limit"  # a rule or a wish ended it
    WAITING = "waiting"  # the answer is still to come
    INFO = "info"
    GOOD = "good"  # it was tested, and held
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class Notice:
    key: str  # of bot/locales
    tone: Tone = Tone.LIMIT
    arguments: Mapping[str, Any] = field(default_factory=dict)  # texts, numbers, notices
    title: str = ""  # a key too
    can_retry: bool = False  # asked once more, the same question may well be answered

    def text(self, words: Words) -> str:
        """Return the notice in a person's language, without deceptive links."""
        arguments = {
            name: value.text(words) if isinstance(value, Notice) else value
            for name, value in self.arguments.items()
        }
        return harmless_links(words(self.key, arguments))


class QuestionRefused(Exception):
    """The request ends here, and `notice` tells the person why."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(notice.key)
        self.notice = notice


UNAVAILABLE = Notice("unavailable", Tone.FAILURE)
EMPTY_PROMPT = Notice("prompt-empty")
UNREADABLE_PROMPT = Notice("prompt-unreadable")
EMPTY_ANSWER = Notice("answer-empty", can_retry=True)
REPEATED = Notice("answer-repeated", can_retry=True)
UNSOLVED = Notice("solve-unsolved", can_retry=True)
NO_SOLVER = Notice("solve-nowhere")
NO_WRITER = Notice("article-nowhere")
BUSY = Notice("action-busy")
LOST = Notice("failed-lost", Tone.FAILURE)
NO_THREAD_HERE = Notice("thread-not-here")
THREADS_FORBIDDEN = Notice("thread-forbidden")
HISTORY_FORBIDDEN = Notice("history-forbidden")
HISTORY_NOT_YOURS = Notice("history-not-yours")
HISTORY_UNREADABLE = Notice("history-unreadable")
CHANNEL_OFF = Notice("channel-off")
ROLES_ONLY = Notice("roles-only")


def queue_full(error: QueueFull) -> Notice:
    return Notice(f"full-{error.scope}", arguments={"waiting": error.waiting, "limit": error.limit})


def too_often(exceeded: RateExceeded) -> Notice:
    of_a_day = {"questions": "often-day", "tokens": "often-tokens", "megabytes": "often-megabytes"}
    key = of_a_day[exceeded.what] if exceeded.window_ms == DAY_MS else "often-minute"
    return Notice(key, arguments={"limit": exceeded.limit, "time": _duration(exceeded.wait_ms)})


def too_soon(exceeded: RateExceeded) -> Notice:
    """Say that an action is allowed only once in a while."""
    return Notice("too-soon", arguments={"time": _duration(exceeded.wait_ms)})


def prompt_too_long(length: int, limit: int) -> Notice:
    over = length - limit
    return Notice("prompt-long", arguments={"length": length, "limit": limit, "over": over})


def describe_failure(code: FailureCode) -> Notice:
    tone = Tone.LIMIT if code in _EXPECTED_ENDS else Tone.FAILURE
    return Notice(f"failed-{code}", tone, can_retry=code not in _NOT_REPEATABLE)


_EXPECTED_ENDS = (FailureCode.CANCELLED, FailureCode.TOO_LONG)
_NOT_REPEATABLE = (*_EXPECTED_ENDS, FailureCode.BAD_REQUEST, FailureCode.NO_TEXT)


def internal_error(reference: str) -> Notice:
    return Notice("internal", Tone.FAILURE, {"reference": reference})


# --- how far an answer can be relied on ---------------------------------------------------------


def describe_check(check: Check, summary: Notice) -> Notice:
    """Return a card with the result of the check and a summary of the steps."""
    key, tone = _CHECKS[check]
    return Notice("check-card", tone, {"check": Notice(key), "summary": summary})


_CHECKS = {
    Check.VERIFIED: ("check-verified", Tone.GOOD),
    Check.REFUTED: ("check-refuted", Tone.FAILURE),
    Check.NONE: ("check-none", Tone.NEUTRAL),
}


# --- while a question waits ---------------------------------------------------------------------


def _waiting_notice(key: str, **arguments: Argument | Notice) -> Notice:
    return Notice(key, Tone.WAITING, arguments)


NO_WORKER = _waiting_notice("waiting-no-worker")
NO_ABLE_WORKER = _waiting_notice("waiting-no-able")
QUEUE_LOST = _waiting_notice("waiting-queue")
RUNNING = _waiting_notice("waiting-running")


def describe_progress(progress: ArticleProgress, *, changing: bool) -> Notice:
    """Say how far the writing or the change of an article is."""
    if changing:
        return _waiting_notice(
            "article-changing", heading=" ".join(escape_markdown(progress.heading).split())
        )
    if progress.stage is ArticleStage.PLANNING:
        return _waiting_notice("article-planning")
    if progress.stage is ArticleStage.WRITING:
        return _waiting_notice("article-writing", done=progress.done, total=progress.total)
    counts = {"done": progress.done, "total": progress.total, "placed": progress.placed}
    return _waiting_notice("article-illustrating", **counts)


def model_loading(progress: float | None) -> Notice:
    if progress is None:
        return _waiting_notice("waiting-loading")
    return _waiting_notice("waiting-loading-progress", percent=round(100 * progress))


def in_line(position: int, estimate_ms: int | None) -> Notice:
    """Say the question's place in the queue; `position` 0 is next."""
    if position == 0:
        return _waiting_notice("waiting-next")
    if estimate_ms is None:
        return _waiting_notice("waiting-place", place=position + 1)
    return _waiting_notice("waiting-place-time", place=position + 1, time=_duration(estimate_ms))


def _duration(duration_ms: int) -> Notice:
    seconds = max(round(duration_ms / 1000), 1)
    if seconds < 90:
        return Notice("about-seconds", arguments={"count": seconds})
    if seconds < 5_400:
        return Notice("about-minutes", arguments={"count": round(seconds / 60)})
    return Notice("about-hours", arguments={"count": round(seconds / 3_600)})

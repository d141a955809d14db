"""A reply in Discord that shows an answer while it grows.

The reply knows which views its messages should have and which they have. It synchronizes one
message at a time, and each at most once a second. Newer text replaces older text meanwhile, so
falling behind costs smoothness and never text.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import Self

from bot import notices
from bot.agent_trace import NOTHING, AgentTrace
from bot.article.message_layout import ArticleView
from bot.discord.delivery.message_transport import (
    Gone,
    Malformed,
    Rejected,
    Retry,
    TokenExhausted,
    Transport,
)
from bot.discord.delivery.reply_target import DeliveryNote
from bot.discord.delivery.request_pacer import RequestPacer
from bot.i18n import Words
from bot.notices import Notice
from bot.render import message_view, steps_text
from bot.render.format_answer import FormattedAnswer, stack
from bot.render.message_view import (
    ButtonState,
    MessageView,
    MessageViews,
    PendingApproval,
    Refusable,
)
from bot.reply_protocol import AnswerOutcome
from common import tracing
from jobqueue.schema import ArticleProgress

EDIT_INTERVAL_S = 1.0  # Discord allows about five edits in five seconds
REPLAY_S = 0.3  # after a restart the text so far arrives within this
TYPING_S = 8.0  # Discord shows it for ten
MAX_RETRY_S = 30.0
MAX_REPLACEMENTS = 5  # in one answer

# Stores the note that a later process continues from. After False it is called again.
SaveNote = Callable[[DeliveryNote], Awaitable[bool]]
# Formats a complete answer.
FormatAnswer = Callable[[str, AnswerOutcome, Words], Awaitable[FormattedAnswer | ArticleView]]
# Draws the views: of components if the argument is true, else plain.
DrawViews = Callable[[bool], MessageViews]

log = logging.getLogger(__name__)


class Undeliverable(Exception):
    """Discord takes neither an edit nor a new message here any more."""


@dataclass(eq=False)
class _Part:
    """One message of the answer."""

    message: str | None = None  # None until it is sent
    shown: MessageView | None = None  # None if unknown, as after a restart
    maybe_sent: bool = False  # without our knowing: a lost response, or an earlier process
    due: float = 0.0  # no request before this, on the monotonic clock
    failures: int = 0  # one after another
    left_out: frozenset[Refusable] = frozenset()  # refused by Discord in this message


@dataclass(frozen=True)
class AnswerChrome:
    """The frame of an answer: its header, footnotes and buttons, and what its messages showed
    before."""

    header: str = ""  # above the answer
    footnotes: Sequence[Notice] = ()  # below it, before those of its outcome
    build_buttons: Callable[[AnswerOutcome], ButtonState | None] = lambda _: None
    old_text: str = ""  # of the version that it replaces, kept until there is a new one
    old_header: str = ""  # above that one
    old_buttons: ButtonState | None = None
    laid_out: bool = False  # its messages are made of components, from the first to the last
    article: ArticleView | None = None  # that stays to be read until its new version is there
    is_rework: bool = False  # a part of that one: what is written meanwhile is not shown


@dataclass(frozen=True)
class Delivery:
    """One job's answer on its way: where it goes, how it looks, and what was shown of it."""

    job_id: str
    words: Words
    transport: Transport
    chrome: AnswerChrome
    note: DeliveryNote  # the messages that the reply continues
    save_note: SaveNote
    format_answer: FormatAnswer
    pacer: RequestPacer
    resumed: bool = False  # an earlier process may have sent messages that the note does not name


class DiscordReply:
    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self.outcome: AnswerOutcome | None = None  # once the complete answer can be seen
        self.work_without_answer: AgentTrace = NOTHING  # once the failure can be seen
        self._saved = delivery.note
        first, due = delivery.transport.first_message, monotonic() + REPLAY_S
        self._parts = [
            _Part(message or None, due=due, maybe_sent=True) for message in delivery.note.messages
        ] or ([_Part(first)] if first else [])
        self._replaced = delivery.note.replaced
        self._laid_out = delivery.chrome.laid_out
        self._max_messages = delivery.transport.max_messages
        self._text = ""  # of the complete answer
        self._wanted: MessageViews = ()
        self._draw: DrawViews | None = None  # of newer ones, drawn once they are needed
        self._drawn: DrawViews = lambda _: ()  # of the wanted ones
        self._final = False
        self._changed = asyncio.Event()
        self._visible = asyncio.Event()
        self._complete = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, delivery: Delivery) -> AsyncIterator[Self]:
        """Synchronize the reply's messages while the block runs.

        Raises:
            Undeliverable: in an exception group, at any time while the reply is open.
        """
        reply = cls(delivery)
        async with asyncio.TaskGroup() as group:
            group.create_task(reply._sync_messages(), name=f"show {delivery.job_id}")
            group.create_task(reply._show_typing(), name=f"type {delivery.job_id}")
            yield reply

    @property
    def messages(self) -> tuple[str, ...]:
        return tuple(part.message or "" for part in self._parts)

    # --- what the answer is ---------------------------------------------------------------------

    def show_status(self, notice: Notice) -> None:
        if article := self._delivery.chrome.article:
            self._set_wanted(
                lambda laid: message_view.view_rework(article.messages(laid_out=laid), notice)
            )
        else:
            text = self._delivery.chrome.old_text
            self._set_wanted(
                lambda _: message_view.view_waiting(notice, text, self._header_of(text))
            )

    def update(
        self, text: str, work: AgentTrace = NOTHING, progress: ArticleProgress | None = None
    ) -> None:
        card = (
            notices.describe_progress(progress, changing=self._delivery.chrome.is_rework)
            if progress
            else None
        )
        if self._delivery.chrome.article and (self._delivery.chrome.is_rework or not text):
            self.show_status(card or notices.RUNNING)
            return

        def draw(_: bool) -> MessageViews:
            steps = steps_text.describe_live(work, self._delivery.words, answering=bool(text))
            step = work.awaiting_approval
            asks = PendingApproval(step.asks, step.number) if step else None
            return message_view.view_streaming(
                text, stack(self._header_of(text), steps), asks, card
            )

        self._set_wanted(draw)

    async def finish(self, text: str, outcome: AnswerOutcome) -> None:
        self._text = text
        footnotes = (*self._delivery.chrome.footnotes, *outcome.footnotes())
        formatted = await self._delivery.format_answer(text, outcome, self._delivery.words)
        if isinstance(formatted, ArticleView):
            buttons = self._delivery.chrome.build_buttons(outcome)
            await self._show_final(
                lambda laid: formatted.with_notes_and_buttons(
                    laid, footnotes, buttons, self._delivery.words
                )
            )
        else:
            outcome = replace(outcome, formulas=formatted.has_formulas)
            answer = (
                formatted.with_header(self._delivery.chrome.header)
                if self._delivery.chrome.header
                else formatted
            )
            finished = message_view.view_finished(answer, footnotes, self._delivery.words)
            finished = message_view.with_document(finished, text)
            if outcome.check is not None:
                card = notices.describe_check(
                    outcome.check, steps_text.summarize_steps(outcome.work)
                )
                finished = message_view.with_card(finished, card)
            finished = message_view.with_buttons(
                finished, self._delivery.chrome.build_buttons(outcome)
            )
            await self._show_final(lambda _: finished)
        self.outcome = outcome

    async def fail(self, notice: Notice, text: str = "", work: AgentTrace = NOTHING) -> None:
        buttons = self._delivery.chrome.old_buttons
        if article := self._delivery.chrome.article:
            await self._show_final(lambda laid: article.with_notice(laid, notice, buttons))
            return
        text = text or self._delivery.chrome.old_text
        steps = "\n".join(steps_text.fold_steps(work, self._delivery.words))
        failed = message_view.view_notice(notice, text, stack(self._header_of(text), steps))
        if buttons is None and (work or notice.can_retry):
            buttons = ButtonState(
                self._delivery.job_id,
                is_latest=False,
                failed=True,
                can_retry=notice.can_retry,
                work=work.kind,
            )
        views = message_view.with_buttons(failed, buttons)
        await self._show_final(lambda _: views)
        self.work_without_answer = work

    def _header_of(self, text: str) -> str:
        """Return the question above a text: the old one while the old answer stands below it."""
        is_old = bool(text) and text == self._delivery.chrome.old_text
        return self._delivery.chrome.old_header if is_old else self._delivery.chrome.header

    async def _show_final(self, draw: DrawViews) -> None:
        self._final = True
        self._set_wanted(draw)
        await self._complete.wait()

    def _set_wanted(self, draw: DrawViews) -> None:
        self._draw = draw
        self._changed.set()

    def _draw_newest(self) -> None:
        """Draw the newest views. Most that come between two requests are never drawn."""
        if self._draw is not None:
            drawn = self._draw(self._laid_out)
            if self._max_messages:
                drawn = message_view.limit_messages(
                    drawn, self._max_messages, self._text, self._delivery.words
                )
            self._wanted = tuple(f.laid_out() for f in drawn) if self._laid_out else drawn
            self._drawn, self._draw = self._draw, None

    # --- making the messages equal it -----------------------------------------------------------

    async def _sync_messages(self) -> None:
        """Make the messages equal the wanted views until the final ones are reached."""
        while True:
            if (part := self._first_difference()) is not None:
                await asyncio.sleep(part.due - monotonic())
                await self._try_sync(part)
            elif self._final:
                break
            else:
                await self._changed.wait()
                self._changed.clear()
        edited = tracing.attributes(messages=len(self._parts))
        tracing.current_span().add_event("last edit", edited)
        self._complete.set()

    async def _show_typing(self) -> None:
        """Show the typing indicator until the first message is visible."""
        with suppress(Gone, Retry):  # a courtesy
            while not self._visible.is_set():
                await self._delivery.transport.typing()
                with suppress(TimeoutError):
                    async with asyncio.timeout(TYPING_S):
                        await self._visible.wait()

    def _first_difference(self) -> _Part | None:
        self._draw_newest()
        while len(self._parts) < len(self._wanted):
            self._parts.append(_Part(maybe_sent=self._delivery.resumed))
        for number in range(len(self._wanted)):
            if self._parts[number].shown != self._view_of(number):
                return self._parts[number]
        surplus = self._parts[len(self._wanted) :]
        if self._final:
            return surplus[-1] if surplus else None
        left = (part for part in surplus if part.message and part.shown != message_view.OUTDATED)
        return next(left, None) if self._wanted and not self._laid_out else None

    def _view_of(self, number: int) -> MessageView:
        """Return how a message should look, without what Discord does not take in it."""
        view = self._wanted[number]
        for refused in Refusable:
            if refused in self._parts[number].left_out:
                view = message_view.without_refused(view, refused, self._delivery.words)
        return view

    async def _try_sync(self, part: _Part) -> None:
        """Make one request, and decide from its failure what to try next."""
        started = monotonic()
        try:
            async with self._delivery.pacer.turn(counted=self._delivery.transport.is_rate_limited):
                await self._sync_message(part)
            part.failures = 0
            part.due = started + EDIT_INTERVAL_S
        except Retry as error:
            part.failures += 1
            part.maybe_sent = True
            pause = min(EDIT_INTERVAL_S * 2**part.failures, MAX_RETRY_S)
            part.due = monotonic() + pause
            log.warning("retry in %.0f s job=%s: %s", pause, self._delivery.job_id, error)
        except Gone as error:
            if isinstance(error, Malformed) and self._laid_out:
                log.warning("components refused job=%s: %s", self._delivery.job_id, error)
                self._laid_out, self._draw = False, self._draw or self._drawn
            elif isinstance(
                error, TokenExhausted
            ):  # the last message then names a file with the rest
                self._max_messages = max(self._parts.index(part), 1)
                self._draw = self._draw or self._drawn
            elif not (isinstance(error, Rejected) and self._leave_out(part, error)):
                self._replace(part, error)
        await self._save_progress()

    async def _sync_message(self, part: _Part) -> None:
        self._draw_newest()
        number = self._parts.index(part)
        is_surplus = number >= len(self._wanted)
        if is_surplus and self._final:
            with suppress(Gone):  # only an earlier attempt needed it
                if self._parts[-1].message is not None:
                    await self._delivery.transport.delete(self._parts[-1].message)
            self._parts.pop()
            return
        if is_surplus and part.message is None:  # the answer has become shorter meanwhile
            return
        # The text may soon grow again, so the message is kept until the end.
        view = message_view.OUTDATED if is_surplus else self._view_of(number)
        if part.message is None:
            part.message = await self._delivery.transport.send(
                view, self._nonce(number), first=number == 0
            )
            # The nonce may have returned an earlier message with older text.
            part.shown = None if part.maybe_sent else view
        else:
            part.message = await self._delivery.transport.edit(part.message, view)
            part.shown = view
        if not self._visible.is_set():
            tracing.current_span().add_event("first visible")
        self._visible.set()

    def _leave_out(self, part: _Part, error: Rejected) -> bool:
        """Leave out the next thing that Discord may have refused. Return False if none is left."""
        number = self._parts.index(part)
        if number >= len(self._wanted):
            return False
        view = self._view_of(number)
        for refused in error.leave_out:
            if (
                refused not in part.left_out
                and message_view.without_refused(view, refused, self._delivery.words) != view
            ):
                log.warning("left out %s job=%s: %s", refused.value, self._delivery.job_id, error)
                part.left_out |= {refused}
                return True
        return False

    def _replace(self, part: _Part, error: Gone) -> None:
        """Give up a message that takes no edit, and send a new one in its place."""
        if part.message is None or self._replaced >= MAX_REPLACEMENTS:
            raise Undeliverable(str(error)) from error
        log.warning("message replaced job=%s: %s", self._delivery.job_id, error)
        part.message, part.shown, part.maybe_sent = None, None, False
        self._replaced += 1

    def _nonce(self, number: int) -> str:
        """Return at most 25 characters, the same for the same message in a later process."""
        return f"{self._delivery.job_id[-18:]}.{number}.{self._replaced}"

    async def _save_progress(self) -> None:
        note = DeliveryNote(self.messages, self._replaced)
        if note != self._saved and await self._delivery.save_note(note):
            self._saved = note

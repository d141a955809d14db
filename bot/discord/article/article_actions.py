"""What may be done about a finished article: by its author, and by whoever reads it.

An edit by hand is a new state of its record, which is then laid out in its messages; what a model
has to do is a job, whose answer becomes a new state. One article takes one of either at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

import discord
from msgspec.structs import replace

from bot import notices
from bot.answer_store import Shown
from bot.article import edits
from bot.article.article_store import Record
from bot.article.captions import reasons
from bot.article.export import bundle
from bot.discord.access import require_here
from bot.discord.article import article_editor
from bot.discord.article.article_components import ArticleControl
from bot.discord.article.article_editor import Page
from bot.discord.ask.admission import asker_of
from bot.discord.delivery.answer_registry import restore_images
from bot.discord.host import Host, Interaction
from bot.discord.views import components_panel, modal_values
from bot.discord.views.answer_actions import FORGOTTEN, in_place_of, reachable
from bot.discord.views.modal_builder import Field, Form, send_form
from bot.i18n import words
from bot.notices import Notice, Refused, Tone
from bot.render.split import split
from common import tracing
from jobqueue.article import Article, ArticleOrder, Rework, SectionChange
from jobqueue.schema import Job

WISH_FORM, TEXT_FORM = "article-wish", "article-text"  # what the forms' custom_ids begin with
LONGEST_WISH, LONGEST_HEADING, LONGEST_TEXT = 500, 200, 4_000
TITLES = {
    "rewrite": "article-rewrite-title",
    "expand": "article-expand-title",
    "shorten": "article-shorten-title",
}
PATIENCE_S = 1.0  # of Discord's three

TOO_LONG = Notice("article-long")
NOT_THERE = Notice("article-not-there")
NOBODY = discord.AllowedMentions.none()

Edit = Callable[[Article], Article]
Press = Callable[[Interaction, ArticleControl], Awaitable[None]]


class Articles:
    def __init__(self, client: Host) -> None:
        self._client = client
        self._services = client.services
        self._answers = client.answers
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._layouts: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._waiting: set[str] = set()  # articles whose newest state is about to be laid out
        self._acts: dict[str, Press] = {
            "edit": self._open,
            "download": self._download,
            "why": self._explain,
            "show": self._show,
            "pick": self._pick,
            "place": self._place,
            "rewrite": self._ask_wish,
            "expand": self._ask_wish,
            "shorten": self._ask_wish,
            "text": self._ask_text,
            "picture": self._offer,
            "take": self._take,
            "look": self._look,
            "remove": self._remove,
            "up": lambda press, control: self._move(press, control, -1),
            "down": lambda press, control: self._move(press, control, +1),
            "undo": self._undo,
        }

    async def press(self, interaction: Interaction, control: ArticleControl) -> None:
        """Do what the control says.

        Raises:
            Refused: with what the person is told.
            QueueUnavailable: nothing was done.
        """
        act = self._acts.get(control.do)
        if act is None:
            raise Refused(NOT_THERE)
        await act(interaction, control)

    # --- for everybody --------------------------------------------------------------------------

    async def _download(self, interaction: Interaction, control: ArticleControl) -> None:
        shown, record = await self._known(interaction, control.job)
        await interaction.response.defer(ephemeral=True, thinking=True)
        blobs = self._services.blobs
        await restore_images(self._client, blobs, shown, record.article)
        hashes = {figure.picture.sha256 for figure in record.article.figures}
        pictures = {each: await blobs.get(each) for each in hashes}
        file = await asyncio.to_thread(bundle, record.article, pictures, interaction.filesize_limit)
        say = words(str(interaction.locale))
        await interaction.followup.send(
            say("article-bundle"), file=discord.File(file.stream, file.name), ephemeral=True
        )

    async def _explain(self, interaction: Interaction, control: ArticleControl) -> None:
        _, record = await self._known(interaction, control.job)
        say = words(str(interaction.locale))
        text = reasons(record.article, say) or say("why-none")
        first, *_ = split(f"{text}\n-# {say('why-note')}")
        await interaction.response.send_message(
            first.content, ephemeral=True, allowed_mentions=NOBODY
        )

    # --- the editor -----------------------------------------------------------------------------

    async def _open(self, interaction: Interaction, control: ArticleControl) -> None:
        page = await self._page(interaction, control.job)
        await components_panel.show(interaction, page.texts(), page.rows())

    async def _show(self, interaction: Interaction, control: ArticleControl) -> None:
        page = await self._page(interaction, control.job, control.section, control.slot)
        await _turn_to(interaction, page)

    async def _pick(self, interaction: Interaction, control: ArticleControl) -> None:
        await _turn_to(interaction, await self._page(interaction, control.job, _chosen(control)))

    async def _place(self, interaction: Interaction, control: ArticleControl) -> None:
        page = await self._page(interaction, control.job, control.section, _chosen(control))
        await _turn_to(interaction, page)

    async def _page(self, interaction: Interaction, job: str, at: int = 0, place: int = 0) -> Page:
        shown, record = await self._own(interaction, job)
        working = self._answers.find_renewal(shown.id)
        at = min(at, len(record.article.sections) - 1)
        note = Notice("article-working") if working else None
        say = words(str(interaction.locale))
        return Page(job, record, say, at, place, note, working.id if working else "")

    # --- by hand --------------------------------------------------------------------------------

    async def _ask_text(self, interaction: Interaction, control: ArticleControl) -> None:
        page = await self._page(interaction, control.job, control.section)
        section = page.section
        if len(section.text) > LONGEST_TEXT:
            raise Refused(TOO_LONG)
        heading = Field("heading", "article-heading", section.heading, LONGEST_HEADING)
        text = Field("text", "article-words", section.text, LONGEST_TEXT)
        asked = [text] if edits.is_lead(page.article, control.section) else [heading, text]
        form = Form(f"{TEXT_FORM}:{control.job}.{control.section}", "article-text-title", asked)
        await send_form(interaction, form.modal(page.say))

    async def reworded(self, interaction: Interaction, about: str) -> None:
        """The form of `_ask_text` was sent."""
        job, _, section = about.partition(".")
        typed, at = modal_values.values(interaction), int(section)
        heading, text = " ".join(typed.get("heading", "").split()), typed.get("text", "").strip()
        if not text:
            raise Refused(notices.EMPTY_PROMPT)
        await self._edit(interaction, job, at, lambda a: edits.worded(a, at, heading, text))

    async def _remove(self, interaction: Interaction, control: ArticleControl) -> None:
        at, place = control.section, control.slot
        await self._edit(
            interaction, control.job, at, lambda a: edits.without_picture(a, at, place), place
        )

    async def _take(self, interaction: Interaction, control: ArticleControl) -> None:
        at, place, chosen = control.section, control.slot, _chosen(control)
        await self._edit(
            interaction, control.job, at, lambda a: edits.with_picture(a, at, place, chosen), place
        )

    async def _move(self, interaction: Interaction, control: ArticleControl, step: int) -> None:
        at = control.section
        await self._edit(interaction, control.job, at + step, lambda a: edits.moved(a, at, step))

    async def _undo(self, interaction: Interaction, control: ArticleControl) -> None:
        await self._change(interaction, control.job, control.section, Record.undone)

    async def _edit(
        self, interaction: Interaction, job: str, at: int, edit: Edit, place: int = 0
    ) -> None:
        await self._change(
            interaction, job, at, lambda record: record.changed(edit(record.article)), place
        )

    async def _change(
        self,
        interaction: Interaction,
        job: str,
        at: int,
        change: Callable[[Record], Record],
        place: int = 0,
    ) -> None:
        """Keep a new state, show it in the editor, and lay it out."""
        shown, _ = await self._own(interaction, job)
        async with self._alone(shown):
            record = (await self._known(interaction, job))[1]
            try:
                record = change(record)
            except IndexError:
                raise Refused(NOT_THERE) from None  # another press was quicker
            await self._services.articles.keep(shown.id, shown.job.user, record)
            page = await self._page(interaction, job, at, place)
            await _turn_to(interaction, page)
        await self._lay_out(interaction, job, shown.id)

    async def _lay_out(self, interaction: Interaction, job: str, answer: str) -> None:
        """Of several presses the last one shows what all of them came to."""
        if answer in self._waiting:
            return
        layout = self._layouts.setdefault(answer, asyncio.Lock())
        self._waiting.add(answer)
        try:
            await layout.acquire()
        finally:
            self._waiting.discard(answer)
        try:
            if not self._answers.find_renewal(answer):  # which shows the newest state itself
                await self._show_newest(interaction, job)
        finally:
            layout.release()

    async def _show_newest(self, interaction: Interaction, job: str) -> None:
        shown, record = await self._known(interaction, job)
        await restore_images(self._client, self._services.blobs, shown, record.article)
        shown = reachable(shown, interaction)
        await self._answers.show_version(shown, record.article.markdown(), record.article)

    # --- by a model -----------------------------------------------------------------------------

    async def _ask_wish(self, interaction: Interaction, control: ArticleControl) -> None:
        page = await self._page(interaction, control.job, control.section)
        wish = Field("wish", "article-wish", longest=LONGEST_WISH)
        about = f"{control.job}.{control.section}.{control.do}"
        form = Form(f"{WISH_FORM}:{about}", TITLES[control.do], [wish])
        await send_form(interaction, form.modal(page.say))

    async def wished(self, interaction: Interaction, about: str) -> None:
        """The form of `_ask_wish` was sent."""
        job, section, rework = about.split(".")
        wish = modal_values.values(interaction).get("wish", "").strip()
        await self._rework(interaction, job, int(section), Rework(rework), wish=wish)

    async def _look(self, interaction: Interaction, control: ArticleControl) -> None:
        at, place = control.section, control.slot
        await self._rework(interaction, control.job, at, Rework.PICTURE, place=place)

    async def _rework(
        self,
        interaction: Interaction,
        job: str,
        at: int,
        rework: Rework,
        *,
        wish: str = "",
        place: int = 0,
    ) -> None:
        shown, _ = await self._own(interaction, job)
        with tracing.start_question_span(str(interaction.id), shown.job.channel, "article"):
            async with self._alone(shown):
                if (layout := self._layouts.get(shown.id)) and layout.locked():
                    raise Refused(notices.BUSY)
                article = (await self._known(interaction, job))[1].article
                if at >= len(article.sections):
                    raise Refused(NOT_THERE)
                change = SectionChange(
                    article=article, section=at, rework=rework, wish=wish, slot=place
                )
                asked = _changing(shown, change, interaction)
                admitted = await self._client.admission.admit(asker_of(interaction), asked)
                asked = admitted.job
                submission = await self._answers.submit(admitted)
                self._answers.start_delivery(asked, submission)
                await _turn_to(interaction, await self._page(interaction, job, at, place))
        if await self._answers.wait_until_over(asked.id):
            page = await self._page(interaction, job, at, place)
            await interaction.edit_original_response(
                view=components_panel.panel(page.texts(), page.rows())
            )

    # --- another picture ------------------------------------------------------------------------

    async def _offer(self, interaction: Interaction, control: ArticleControl) -> None:
        page = await self._page(interaction, control.job, control.section, control.slot)
        if page.slot is None:
            raise Refused(NOT_THERE)
        found = await self._client.dressing.candidates(page.slot)
        await interaction.response.edit_message(
            view=page.gallery(found), attachments=article_editor.files(found)
        )

    # --- whether it may be ----------------------------------------------------------------------

    async def _known(self, interaction: Interaction, job: str) -> tuple[Shown, Record]:
        await self._answers.wait_until_recorded(job)
        shown = await self._services.shown.find(job)
        record = await self._services.articles.find(shown.id) if shown else None
        if shown is None or record is None:
            raise Refused(FORGOTTEN)
        require_here(interaction, shown.job)
        return shown, record

    async def _own(self, interaction: Interaction, job: str) -> tuple[Shown, Record]:
        shown, record = await self._known(interaction, job)
        if shown.job.user != str(interaction.user.id):
            raise Refused(Notice("article-not-yours", Tone.INFO, {"name": shown.job.user_name}))
        return shown, record

    @asynccontextmanager
    async def _alone(self, shown: Shown) -> AsyncIterator[None]:
        """Raises `Refused` while something else changes it."""
        lock = self._locks.setdefault(shown.id, asyncio.Lock())
        try:
            async with asyncio.timeout(PATIENCE_S):
                await lock.acquire()
        except TimeoutError:
            raise Refused(notices.BUSY) from None
        try:
            if self._answers.find_renewal(shown.id):
                raise Refused(notices.BUSY)
            yield
        finally:
            lock.release()


def _changing(shown: Shown, change: SectionChange, interaction: Interaction) -> Job:
    """In a conversation of its own: what is said in the channel goes on from what was said."""
    order = shown.job.order or ArticleOrder()
    return replace(
        shown.job,
        id=str(interaction.id),
        channel=f"{shown.job.channel}.{shown.id}",
        parent="",
        continues="",
        order=replace(order, change=change),
        reply=in_place_of(shown, interaction),
    )


def _chosen(control: ArticleControl) -> int:
    """Raises `Refused` for what is no number of an option."""
    value, *more = control.values or [""]
    if more or not value.isdecimal():
        raise Refused(NOT_THERE)
    return int(value)


async def _turn_to(interaction: Interaction, page: Page) -> None:
    view: Any = components_panel.panel(page.texts(), page.rows())
    await interaction.response.edit_message(view=view, attachments=[], allowed_mentions=NOBODY)

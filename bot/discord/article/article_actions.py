"""Actions on a finished article, by its author and by its readers.

An edit by hand stores a new state and updates the article's messages. A change by the model is a
job, whose answer becomes a new state. An article takes one change at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import discord
from msgspec.structs import replace

from bot import notices
from bot.answer_store import ShownAnswer
from bot.article import edits
from bot.article.article_store import ArticleRecord
from bot.article.export import export_zip
from bot.article.message_layout import describe_empty_slots
from bot.discord.article import article_editor
from bot.discord.article.article_components import ArticleItem
from bot.discord.article.article_editor import ArticleEditor
from bot.discord.ask.admission import asker_of
from bot.discord.delivery.answer_manager import Locks, hold_lock
from bot.discord.delivery.answer_registry import restore_images
from bot.discord.host import Host, Interaction
from bot.discord.views import components_panel
from bot.discord.views.answer_actions import FORGOTTEN, replacement_target, with_reachable_target
from bot.discord.views.modals import FormField, FormSpec, form_values, send_form
from bot.i18n import words
from bot.notices import Notice, QuestionRefused, Tone
from bot.render.split import split
from common import tracing
from jobqueue.article import Article, ArticleOrder, Rework, SectionChange
from jobqueue.schema import Job

WISH_FORM, TEXT_FORM = "article-wish", "article-text"  # the forms' custom_ids begin with these
LONGEST_WISH, LONGEST_HEADING, LONGEST_TEXT = 500, 200, 4_000
TITLES = {
    "rewrite": "article-rewrite-title",
    "expand": "article-expand-title",
    "shorten": "article-shorten-title",
}

TOO_LONG = Notice("article-long")
NOT_THERE = Notice("article-not-there")
NOBODY = discord.AllowedMentions.none()

Edit = Callable[[Article], Article]
ArticleHandler = Callable[[Interaction, ArticleItem], Awaitable[None]]


class ArticleActions:
    def __init__(self, client: Host) -> None:
        self._client = client
        self._services = client.services
        self._answers = client.answers
        self._locks = Locks()
        self._layouts = Locks()
        self._waiting: set[str] = set()  # articles whose newest state is about to be laid out
        self._handlers: dict[str, ArticleHandler] = {
            "edit": self._open_editor,
            "download": self._download,
            "why": self._explain_empty_slots,
            "show": self._show_slot,
            "pick": self._select_section,
            "place": self._select_slot,
            "rewrite": self._open_wish_form,
            "expand": self._open_wish_form,
            "shorten": self._open_wish_form,
            "text": self._open_text_form,
            "picture": self._show_candidates,
            "take": self._choose_picture,
            "look": self._search_picture,
            "remove": self._remove_picture,
            "up": lambda press, control: self._move_section(press, control, -1),
            "down": lambda press, control: self._move_section(press, control, +1),
            "undo": self._undo,
        }

    async def handle(self, interaction: Interaction, control: ArticleItem) -> None:
        """Run the action of the button or menu.

        Raises:
            QuestionRefused: with what the person is told.
            QueueUnavailable: nothing was done.
        """
        act = self._handlers.get(control.action)
        if act is None:
            raise QuestionRefused(NOT_THERE)
        await act(interaction, control)

    # --- for everybody --------------------------------------------------------------------------

    async def _download(self, interaction: Interaction, control: ArticleItem) -> None:
        shown, record = await self._find(interaction, control.job)
        await interaction.response.defer(ephemeral=True, thinking=True)
        blobs = self._services.blobs
        await restore_images(self._client, blobs, shown, record.article)
        hashes = {figure.picture.sha256 for figure in record.article.figures}
        pictures = {each: await blobs.get(each) for each in hashes}
        file = await asyncio.to_thread(
            export_zip, record.article, pictures, interaction.filesize_limit
        )
        say = words(str(interaction.locale))
        await interaction.followup.send(
            say("article-bundle"), file=discord.File(file.stream, file.name), ephemeral=True
        )

    async def _explain_empty_slots(self, interaction: Interaction, control: ArticleItem) -> None:
        _, record = await self._find(interaction, control.job)
        say = words(str(interaction.locale))
        text = describe_empty_slots(record.article, say) or say("why-none")
        first, *_ = split(f"{text}\n-# {say('why-note')}")
        await interaction.response.send_message(
            first.content, ephemeral=True, allowed_mentions=NOBODY
        )

    # --- the editor -----------------------------------------------------------------------------

    async def _open_editor(self, interaction: Interaction, control: ArticleItem) -> None:
        page = await self._load_editor(interaction, control.job)
        await components_panel.send_panel(interaction, page.texts(), page.rows())

    async def _show_slot(self, interaction: Interaction, control: ArticleItem) -> None:
        await self._show_editor(interaction, control.job, control.section, control.slot)

    async def _select_section(self, interaction: Interaction, control: ArticleItem) -> None:
        await self._show_editor(interaction, control.job, _chosen_index(control))

    async def _select_slot(self, interaction: Interaction, control: ArticleItem) -> None:
        await self._show_editor(interaction, control.job, control.section, _chosen_index(control))

    async def _show_editor(
        self, interaction: Interaction, job: str, at: int = 0, place: int = 0
    ) -> None:
        page = await self._load_editor(interaction, job, at, place)
        await components_panel.edit_panel(interaction, page.texts(), page.rows())

    async def _load_editor(
        self, interaction: Interaction, job: str, at: int = 0, place: int = 0
    ) -> ArticleEditor:
        shown, record = await self._find_own(interaction, job)
        working = self._answers.find_renewal(shown.id)
        at = min(at, len(record.article.sections) - 1)
        note = Notice("article-working") if working else None
        say = words(str(interaction.locale))
        return ArticleEditor(job, record, say, at, place, note, working.id if working else "")

    # --- by hand --------------------------------------------------------------------------------

    async def _open_text_form(self, interaction: Interaction, control: ArticleItem) -> None:
        page = await self._load_editor(interaction, control.job, control.section)
        section = page.section
        if len(section.text) > LONGEST_TEXT:
            raise QuestionRefused(TOO_LONG)
        heading = FormField("heading", "article-heading", section.heading, LONGEST_HEADING)
        text = FormField("text", "article-words", section.text, LONGEST_TEXT)
        asked = [text] if edits.is_lead(page.article, control.section) else [heading, text]
        form = FormSpec(f"{TEXT_FORM}:{control.job}.{control.section}", "article-text-title", asked)
        await send_form(interaction, form.build(page.words))

    async def submit_text(self, interaction: Interaction, about: str) -> None:
        """Save the submitted text of a section."""
        job, _, section = about.partition(".")
        typed, at = form_values(interaction), int(section)
        heading, text = " ".join(typed.get("heading", "").split()), typed.get("text", "").strip()
        if not text:
            raise QuestionRefused(notices.EMPTY_PROMPT)
        await self._apply_edit(
            interaction, job, at, lambda a: edits.replace_text(a, at, heading, text)
        )

    async def _remove_picture(self, interaction: Interaction, control: ArticleItem) -> None:
        at, place = control.section, control.slot
        await self._apply_edit(
            interaction, control.job, at, lambda a: edits.remove_picture(a, at, place), place
        )

    async def _choose_picture(self, interaction: Interaction, control: ArticleItem) -> None:
        at, place, chosen = control.section, control.slot, _chosen_index(control)
        await self._apply_edit(
            interaction,
            control.job,
            at,
            lambda a: edits.choose_picture(a, at, place, chosen),
            place,
        )

    async def _move_section(
        self, interaction: Interaction, control: ArticleItem, step: int
    ) -> None:
        at = control.section
        await self._apply_edit(
            interaction, control.job, at + step, lambda a: edits.move_section(a, at, step)
        )

    async def _undo(self, interaction: Interaction, control: ArticleItem) -> None:
        await self._save_change(
            interaction, control.job, control.section, ArticleRecord.without_newest
        )

    async def _apply_edit(
        self, interaction: Interaction, job: str, at: int, edit: Edit, place: int = 0
    ) -> None:
        await self._save_change(
            interaction, job, at, lambda record: record.with_article(edit(record.article)), place
        )

    async def _save_change(
        self,
        interaction: Interaction,
        job: str,
        at: int,
        change: Callable[[ArticleRecord], ArticleRecord],
        place: int = 0,
    ) -> None:
        """Store a new state, show it in the editor, and update the article's messages."""
        shown, _ = await self._find_own(interaction, job)
        async with self._lock_article(shown):
            record = (await self._find(interaction, job))[1]
            try:
                record = change(record)
            except IndexError:
                raise QuestionRefused(NOT_THERE) from None  # another press was quicker
            await self._services.articles.store(shown.id, shown.job.user, record)
            await self._show_editor(interaction, job, at, place)
        await self._update_messages(interaction, job, shown.id)

    async def _update_messages(self, interaction: Interaction, job: str, answer: str) -> None:
        """Show the newest state in the messages; of several presses only the last one does it."""
        if answer in self._waiting:
            return
        layout = self._layouts.setdefault(answer, asyncio.Lock())
        self._waiting.add(answer)
        try:
            await layout.acquire()
        finally:
            self._waiting.discard(answer)
        try:
            if not self._answers.find_renewal(answer):  # a renewal shows the newest state itself
                shown, record = await self._find(interaction, job)
                await restore_images(self._client, self._services.blobs, shown, record.article)
                shown = with_reachable_target(shown, interaction)
                await self._answers.show_version(shown, record.article.markdown(), record.article)
        finally:
            layout.release()

    # --- by a model -----------------------------------------------------------------------------

    async def _open_wish_form(self, interaction: Interaction, control: ArticleItem) -> None:
        page = await self._load_editor(interaction, control.job, control.section)
        wish = FormField("wish", "article-wish", max_length=LONGEST_WISH)
        about = f"{control.job}.{control.section}.{control.action}"
        form = FormSpec(f"{WISH_FORM}:{about}", TITLES[control.action], [wish])
        await send_form(interaction, form.build(page.words))

    async def submit_wish(self, interaction: Interaction, about: str) -> None:
        """Submit the job for the wish that was typed."""
        job, section, rework = about.split(".")
        wish = form_values(interaction).get("wish", "").strip()
        await self._submit_rework(interaction, job, int(section), Rework(rework), wish=wish)

    async def _search_picture(self, interaction: Interaction, control: ArticleItem) -> None:
        at, place = control.section, control.slot
        await self._submit_rework(interaction, control.job, at, Rework.PICTURE, place=place)

    async def _submit_rework(
        self,
        interaction: Interaction,
        job: str,
        at: int,
        rework: Rework,
        *,
        wish: str = "",
        place: int = 0,
    ) -> None:
        shown, _ = await self._find_own(interaction, job)
        with tracing.start_question_span(str(interaction.id), shown.job.channel, "article"):
            async with self._lock_article(shown):
                if (layout := self._layouts.get(shown.id)) and layout.locked():
                    raise QuestionRefused(notices.BUSY)
                article = (await self._find(interaction, job))[1].article
                if at >= len(article.sections):
                    raise QuestionRefused(NOT_THERE)
                change = SectionChange(
                    article=article, section=at, rework=rework, wish=wish, slot=place
                )
                asked = _rework_job(shown, change, interaction)
                admitted = await self._client.admission.admit(asker_of(interaction), asked)
                asked = admitted.job
                submission = await self._answers.submit(admitted)
                self._answers.start_delivery(asked, submission)
                await self._show_editor(interaction, job, at, place)
        if await self._answers.wait_until_over(asked.id):
            page = await self._load_editor(interaction, job, at, place)
            await interaction.edit_original_response(
                view=components_panel.build_panel(page.texts(), page.rows())
            )

    # --- another picture ------------------------------------------------------------------------

    async def _show_candidates(self, interaction: Interaction, control: ArticleItem) -> None:
        page = await self._load_editor(interaction, control.job, control.section, control.slot)
        if page.slot is None:
            raise QuestionRefused(NOT_THERE)
        found = await self._client.formatter.list_candidates(page.slot)
        await interaction.response.edit_message(
            view=page.candidates_view(page.slot, found),
            attachments=article_editor.candidate_files(found),
        )

    # --- permissions and locks ------------------------------------------------------------------

    async def _find(self, interaction: Interaction, job: str) -> tuple[ShownAnswer, ArticleRecord]:
        shown = await self._client.find_answer(interaction, job, FORGOTTEN)
        record = await self._services.articles.find(shown.id)
        if record is None:
            raise QuestionRefused(FORGOTTEN)
        return shown, record

    async def _find_own(
        self, interaction: Interaction, job: str
    ) -> tuple[ShownAnswer, ArticleRecord]:
        shown, record = await self._find(interaction, job)
        if shown.job.user != str(interaction.user.id):
            raise QuestionRefused(
                Notice("article-not-yours", Tone.INFO, {"name": shown.job.user_name})
            )
        return shown, record

    @asynccontextmanager
    async def _lock_article(self, shown: ShownAnswer) -> AsyncIterator[None]:
        """Hold the article's lock. Raises `QuestionRefused` while the article is being changed."""
        async with hold_lock(self._locks, shown.id):
            if self._answers.find_renewal(shown.id):
                raise QuestionRefused(notices.BUSY)
            yield


def _rework_job(shown: ShownAnswer, change: SectionChange, interaction: Interaction) -> Job:
    """Return the job of a change, in a conversation of its own: the channel's goes on unchanged."""
    order = shown.job.order or ArticleOrder()
    return replace(
        shown.job,
        id=str(interaction.id),
        channel=f"{shown.job.channel}.{shown.id}",
        parent="",
        continues="",
        order=replace(order, change=change),
        reply=replacement_target(shown, interaction),
    )


def _chosen_index(control: ArticleItem) -> int:
    """Return the number of the chosen option. Raises `QuestionRefused` for anything else."""
    value, *more = control.values or [""]
    if more or not value.isdecimal():
        raise QuestionRefused(NOT_THERE)
    return int(value)

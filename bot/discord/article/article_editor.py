"""The editor of an article: its author sees one section at a time, alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import discord

from bot.article import edits
from bot.article.article_store import ArticleRecord
from bot.article.message_layout import describe_empty_slot, escape_line
from bot.discord.article.article_components import ArticleItem, button, custom_id
from bot.discord.views.answer_buttons import stop_button
from bot.discord.views.components_panel import ControlRow, action_row
from bot.i18n import Words
from bot.notices import Notice
from bot.render.svg_to_png import RenderedImage
from jobqueue.article import Article, ImageSlot, Section

SHOWN_CHARS = 400  # of a section's text
MOST_OPTIONS = 25
LABEL_CHARS = 100  # Discord's, of an option


@dataclass(frozen=True)
class ArticleEditor:
    """The editor's state, texts and controls."""

    job: str
    record: ArticleRecord
    words: Words
    section_index: int = 0  # the section
    slot_index: int = 0  # for a picture, in it
    note: Notice | None = None  # the result of the last action
    running_job: str = ""  # the job that changes it now

    @property
    def article(self) -> Article:
        return self.record.article

    @property
    def section(self) -> Section:
        return self.article.sections[self.section_index]

    @property
    def slot(self) -> ImageSlot | None:
        slots = self.section.slots
        return slots[self.slot_index] if self.slot_index < len(slots) else None

    def texts(self) -> Sequence[str]:
        return [
            f"## ✏️ {escape_line(self.article.title)}",
            *([self.note.text(self.words)] if self.note else []),
            "\n".join((self._excerpt(), *self._slot_lines())),
        ]

    def rows(self) -> list[ControlRow]:
        if self.running_job:
            stop = stop_button(self.running_job, self.words)
            return [action_row(stop, self._button("show", "article-refresh", "🔄"))]
        slots = [self._slot_menu()] if len(self.section.slots) > 1 else []
        menus = [action_row(each) for each in (self._section_menu(), *slots)]
        others = [*self._picture_buttons(), *self._order_buttons()]
        return [*menus, self._text_buttons(), *([action_row(*others)] if others else [])]

    # --- texts ----------------------------------------------------------------------------------

    def _excerpt(self) -> str:
        text = " ".join(self.section.text.split())
        cut = f"{text[:SHOWN_CHARS]}…" if len(text) > SHOWN_CHARS else text
        shown = discord.utils.escape_markdown(cut)
        name = escape_line(self._section_name(self.section))
        return f"**{self.section_index + 1}. {name}**\n> {shown}"

    def _slot_lines(self) -> Iterator[str]:
        for number, slot in enumerate(self.section.slots):
            here = "▸ " if len(self.section.slots) > 1 and number == self.slot_index else ""
            if slot.figure:
                yield f"{here}🖼️ {escape_line(slot.figure.caption)}"
            else:
                yield f"{here}◻️ {describe_empty_slot(slot, self.words)}"

    def _section_name(self, section: Section) -> str:
        return section.heading or self.words("article-opening")

    # --- controls -------------------------------------------------------------------------------

    def _section_menu(self) -> ArticleItem:
        """Build a menu of sections; of many, only those around the current one fit."""
        first = max(
            0,
            min(self.section_index - MOST_OPTIONS // 2, len(self.article.sections) - MOST_OPTIONS),
        )
        shown = list(enumerate(self.article.sections))[first : first + MOST_OPTIONS]
        options = [
            _option(n, f"{n + 1}. {self._section_name(section)}", n == self.section_index)
            for n, section in shown
        ]
        return ArticleItem(
            discord.ui.Select(custom_id=custom_id("pick", self.job), options=options)
        )

    def _slot_menu(self) -> ArticleItem:
        options = [
            _option(n, f"🖼️ {n + 1}. {_slot_caption(slot)}", n == self.slot_index)
            for n, slot in enumerate(self.section.slots)
        ]
        at = custom_id("place", self.job, self.section_index)
        return ArticleItem(discord.ui.Select(custom_id=at, options=options))

    def _text_buttons(self) -> ControlRow:
        return action_row(
            self._button("rewrite", "article-rewrite", "🔄"),
            self._button("expand", "article-expand", "⏫"),
            self._button("shorten", "article-shorten", "⏬"),
            self._button("text", "article-text", "✏️"),
        )

    def _picture_buttons(self) -> Iterator[ArticleItem]:
        if self.slot:
            yield self._button("picture", "article-picture", "🖼️")
            if self.slot.figure:
                yield self._button("remove", "article-remove", "🚫")

    def _order_buttons(self) -> Iterator[ArticleItem]:
        if edits.can_move(self.article, self.section_index, -1):
            yield self._button("up", "article-up", "⬆️")
        if edits.can_move(self.article, self.section_index, +1):
            yield self._button("down", "article-down", "⬇️")
        if self.record.can_undo:
            yield self._button("undo", "button-undo", "↩️")

    def _button(self, do: str, key: str, emoji: str) -> ArticleItem:
        return button(do, self.job, self.words(key), emoji, self.section_index, self.slot_index)

    # --- another picture ------------------------------------------------------------------------

    def candidates_view(
        self, slot: ImageSlot, pictures: Sequence[tuple[int, RenderedImage]]
    ) -> discord.ui.LayoutView:
        """Build a view of a slot's numbered candidates, with a menu to choose one."""
        view = discord.ui.LayoutView(timeout=None)
        view.add_item(discord.ui.TextDisplay(f"## 🖼️ {escape_line(_slot_caption(slot))}"))
        for number, picture in pictures:
            about = escape_line(slot.candidates[number].caption)
            view.add_item(discord.ui.TextDisplay(f"**{number + 1}** · {about}"))
            shown = discord.MediaGalleryItem(f"attachment://{picture.name}")
            view.add_item(discord.ui.MediaGallery(shown))
        if pictures:
            options = [
                _option(number, f"{number + 1}. {slot.candidates[number].caption}", chosen=False)
                for number, _ in pictures
            ]
            at = custom_id("take", self.job, self.section_index, self.slot_index)
            placeholder = self.words("article-take")
            menu: discord.ui.Select[Any] = discord.ui.Select(
                custom_id=at, options=options, placeholder=placeholder
            )
            view.add_item(action_row(ArticleItem(menu)))
        else:
            view.add_item(discord.ui.TextDisplay(self.words("article-no-candidates")))
        look = self._button("look", "article-look", "🔎")
        view.add_item(action_row(look, self._button("show", "article-back", "◀️")))
        return view


def candidate_files(pictures: Sequence[tuple[int, RenderedImage]]) -> list[discord.File]:
    return [discord.File(BytesIO(picture.png), picture.name) for _, picture in pictures]


def _slot_caption(slot: ImageSlot) -> str:
    return slot.figure.caption if slot.figure else slot.need.caption


def _option(value: int, label: str, chosen: bool) -> discord.SelectOption:
    return discord.SelectOption(label=label[:LABEL_CHARS], value=str(value), default=chosen)

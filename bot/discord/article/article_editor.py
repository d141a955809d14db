"""What an article's author edits it with: one section at a time, for them alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import discord

from bot.article import edits
from bot.article.article_store import Record
from bot.article.captions import line, reason
from bot.discord.article.article_components import ArticleControl, button, custom_id
from bot.discord.views.answer_buttons import stop_button
from bot.discord.views.components_panel import Row
from bot.i18n import Words
from bot.notices import Notice
from bot.render.svg_to_png import Picture
from jobqueue.article import Article, Figure, ImageSlot, Section

SHOWN_CHARS = 400  # of a section's text
MOST_OPTIONS = 25
LABEL_CHARS = 100  # Discord's, of an option


@dataclass(frozen=True)
class Page:
    """The editor as its person sees it."""

    job: str
    record: Record
    say: Words
    at: int = 0  # the section
    place: int = 0  # for a picture, in it
    note: Notice | None = None  # what came of what was done last
    working: str = ""  # the job that changes it now

    @property
    def article(self) -> Article:
        return self.record.article

    @property
    def section(self) -> Section:
        return self.article.sections[self.at]

    @property
    def slot(self) -> ImageSlot | None:
        slots = self.section.slots
        return slots[self.place] if self.place < len(slots) else None

    def texts(self) -> Sequence[str]:
        return [
            f"## ✏️ {line(self.article.title)}",
            *([self.note.text(self.say)] if self.note else []),
            "\n".join((self._excerpt(), *self._pictures())),
        ]

    def rows(self) -> list[Row]:
        if self.working:
            stop = stop_button(self.working, self.say)
            return [_row(stop, self._button("show", "article-refresh", "🔄"))]
        slots = [self._slots()] if len(self.section.slots) > 1 else []
        menus = [_row(each) for each in (self._sections(), *slots)]
        around = [*self._picturing(), *self._placing()]
        return [*menus, _row(*self._wording()), *([_row(*around)] if around else [])]

    # --- what it is -----------------------------------------------------------------------------

    def _excerpt(self) -> str:
        text = " ".join(self.section.text.split())
        cut = f"{text[:SHOWN_CHARS]}…" if len(text) > SHOWN_CHARS else text
        shown = discord.utils.escape_markdown(cut)
        return f"**{self.at + 1}. {line(self._name(self.section))}**\n> {shown}"

    def _pictures(self) -> Iterator[str]:
        for number, slot in enumerate(self.section.slots):
            here = "▸ " if len(self.section.slots) > 1 and number == self.place else ""
            if slot.figure:
                yield f"{here}🖼️ {line(slot.figure.caption)}"
            else:
                yield f"{here}◻️ {reason(slot, self.say)}"

    def _name(self, section: Section) -> str:
        return section.heading or self.say("article-opening")

    # --- what changes it ------------------------------------------------------------------------

    def _sections(self) -> ArticleControl:
        """Those around the present one, where a menu does not hold them all."""
        first = max(0, min(self.at - MOST_OPTIONS // 2, len(self.article.sections) - MOST_OPTIONS))
        shown = list(enumerate(self.article.sections))[first : first + MOST_OPTIONS]
        options = [
            _option(n, f"{n + 1}. {self._name(section)}", n == self.at) for n, section in shown
        ]
        return ArticleControl(
            discord.ui.Select(custom_id=custom_id("pick", self.job), options=options)
        )

    def _slots(self) -> ArticleControl:
        options = [
            _option(n, f"🖼️ {n + 1}. {_wanted(slot)}", n == self.place)
            for n, slot in enumerate(self.section.slots)
        ]
        at = custom_id("place", self.job, self.at)
        return ArticleControl(discord.ui.Select(custom_id=at, options=options))

    def _wording(self) -> Iterator[ArticleControl]:
        yield self._button("rewrite", "article-rewrite", "🔄")
        yield self._button("expand", "article-expand", "⏫")
        yield self._button("shorten", "article-shorten", "⏬")
        yield self._button("text", "article-text", "✏️")

    def _picturing(self) -> Iterator[ArticleControl]:
        if self.slot:
            yield self._button("picture", "article-picture", "🖼️")
            if self.slot.figure:
                yield self._button("remove", "article-remove", "🚫")

    def _placing(self) -> Iterator[ArticleControl]:
        if edits.movable(self.article, self.at, -1):
            yield self._button("up", "article-up", "⬆️")
        if edits.movable(self.article, self.at, +1):
            yield self._button("down", "article-down", "⬇️")
        if self.record.undoable:
            yield self._button("undo", "button-undo", "↩️")

    def _button(self, do: str, key: str, emoji: str) -> ArticleControl:
        return button(do, self.job, self.say(key), emoji, self.at, self.place)

    # --- another picture ------------------------------------------------------------------------

    def gallery(self, pictures: Sequence[tuple[int, Picture]]) -> discord.ui.LayoutView:
        """The candidates, each under its number, to choose from."""
        view = discord.ui.LayoutView(timeout=None)
        view.add_item(discord.ui.TextDisplay(f"## 🖼️ {line(_wanted(self.slot))}"))
        for number, picture in pictures:
            about = line(self._candidate(number).caption)
            view.add_item(discord.ui.TextDisplay(f"**{number + 1}** · {about}"))
            shown = discord.MediaGalleryItem(f"attachment://{picture.name}")
            view.add_item(discord.ui.MediaGallery(shown))
        if pictures:
            view.add_item(_row(self._choice([number for number, _ in pictures])))
        else:
            view.add_item(discord.ui.TextDisplay(self.say("article-no-candidates")))
        look = self._button("look", "article-look", "🔎")
        view.add_item(_row(look, self._button("show", "article-back", "◀️")))
        return view

    def _candidate(self, number: int) -> Figure:
        assert self.slot is not None  # noqa: S101 — whoever asks for a gallery has one
        return self.slot.candidates[number]

    def _choice(self, numbers: Sequence[int]) -> ArticleControl:
        options = [
            _option(n, f"{n + 1}. {self._candidate(n).caption}", chosen=False) for n in numbers
        ]
        at = custom_id("take", self.job, self.at, self.place)
        placeholder = self.say("article-take")
        return ArticleControl(
            discord.ui.Select(custom_id=at, options=options, placeholder=placeholder)
        )


def files(pictures: Sequence[tuple[int, Picture]]) -> list[discord.File]:
    return [discord.File(BytesIO(picture.png), picture.name) for _, picture in pictures]


def _wanted(slot: ImageSlot | None) -> str:
    return (slot.figure.caption if slot.figure else slot.need.caption) if slot else ""


def _option(value: int, label: str, chosen: bool) -> discord.SelectOption:
    return discord.SelectOption(label=label[:LABEL_CHARS], value=str(value), default=chosen)


def _row(*items: "discord.ui.Item[Any]") -> Row:
    row: Row = discord.ui.ActionRow()
    for item in items:
        row.add_item(item)
    return row

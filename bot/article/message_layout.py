"""An article as Discord messages, and the texts that people read about its pictures.

Each figure stands below its paragraphs with its credits. The messages are made of components.
Where Discord refuses those, they are plain, and each picture ends a message of its own section.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bot.article.edits import list_empty_slots
from bot.i18n import Words
from bot.notices import Notice
from bot.render.components_layout import GAP, Layout, pack
from bot.render.format_answer import Block, FormattedAnswer, escape_markdown, paginate
from bot.render.link_defang import harmless_links
from bot.render.message_view import (
    ButtonState,
    MessageView,
    MessageViews,
    view_page,
    with_buttons,
    with_card,
    with_notes,
)
from bot.render.split import MESSAGE_UNITS, units
from bot.render.svg_to_png import RenderedImage
from jobqueue.article import Article, ArticleFigure, ImageSlot, NoImageReason, Section

REASONS = {
    NoImageReason.NOTHING: "why-nothing",
    NoImageReason.ANOTHER: "why-another",
    NoImageReason.WEAK: "why-weak",
    NoImageReason.UNSURE: "why-unsure",
    NoImageReason.SEEN: "why-seen",
    NoImageReason.UNREADABLE: "why-unreadable",
    NoImageReason.REMOVED: "why-removed",
    NoImageReason.UNSAID: "why-unsaid",
}
LINE_CHARS = 200
_ADDRESS = re.compile(r"https?://([a-z0-9.-]{1,100})(?:/[^\s<>()@]{0,300})?", re.IGNORECASE)


@dataclass(frozen=True)
class FigureView:
    """A figure with its caption, and its image where the bytes are still there."""

    caption: str
    image: RenderedImage | None = None


@dataclass(frozen=True)
class SectionView:
    """A section with its formatted text and its figures."""

    blocks: tuple[Block, ...]
    figures: tuple[FigureView, ...] = ()


@dataclass(frozen=True)
class ArticleView:
    """A whole article, ready to become messages of components or plain ones."""

    sections: tuple[SectionView, ...]

    def messages(self, *, laid_out: bool) -> MessageViews:
        if not laid_out:
            return tuple(view for section in self.sections for view in _plain_messages(section))
        groups = (group for section in self.sections for group in _section_groups(section))
        return tuple(MessageView(layout=page) for page in pack(groups))

    def with_notes_and_buttons(
        self, laid_out: bool, footnotes: Iterable[Notice], buttons: ButtonState | None, words: Words
    ) -> MessageViews:
        """Return its messages with notes and buttons below them."""
        return with_buttons(with_notes(self.messages(laid_out=laid_out), footnotes, words), buttons)

    def with_notice(
        self, laid_out: bool, notice: Notice, buttons: ButtonState | None
    ) -> MessageViews:
        """Return its messages with buttons, and with the reason why there is no new version."""
        return with_buttons(with_card(self.messages(laid_out=laid_out), notice), buttons)


def section_markdown(section: Section, title: str = "") -> str:
    """Return a section's Markdown under its heading; with `title`, also under that."""
    heading = f"## {_join_lines(section.heading)}" if section.heading else ""
    above = f"# {_join_lines(title)}" if title else ""
    return "\n".join(filter(None, (above, heading, section.text)))


def figure_caption(figure: ArticleFigure) -> str:
    """Return caption and credits in small print, without any markup of their own."""
    author = figure.author and f"© {escape_line(figure.author)}"
    credits_ = " · ".join(
        filter(None, (author, escape_line(figure.licence), _source_link(figure.source)))
    )
    caption = f"*{escape_line(figure.caption)}*" if figure.caption else ""
    return "\n".join(f"-# {each}" for each in (caption, credits_) if each)


# --- made of components -------------------------------------------------------------------------


def _section_groups(section: SectionView) -> Iterator[Layout]:
    """Yield what must not be torn apart: the text with the first figure, then each other figure."""
    text = Layout((GAP, *section.blocks))
    figures = [_figure_layout(figure) for figure in section.figures]
    if figures and (text + figures[0]).fits:
        yield text + figures[0]
        yield from figures[1:]
    else:
        yield from (text, *figures)


def _figure_layout(figure: FigureView) -> Layout:
    return Layout((figure.image, figure.caption) if figure.image else (figure.caption,))


# --- plain --------------------------------------------------------------------------------------


def _plain_messages(section: SectionView) -> MessageViews:
    messages = [view_page(page) for page in paginate(FormattedAnswer(section.blocks))]
    for figure in section.figures:
        joined = f"{messages[-1].content}\n{figure.caption}" if messages else figure.caption
        if messages and not messages[-1].picture and units(joined) <= MESSAGE_UNITS:
            messages[-1] = replace(messages[-1], content=joined, picture=figure.image)
        else:
            messages.append(MessageView(figure.caption, figure.image))
    return tuple(messages)


def _source_link(text: str) -> str:
    """Link an address under the name of its host, so that people see where it leads."""
    address = _ADDRESS.fullmatch(text)
    return harmless_links(f"[{address[1]}](<{text}>)") if address else escape_line(text)


def _join_lines(text: str) -> str:
    return " ".join(text.split())


# --- texts about pictures -----------------------------------------------------------------------


def escape_line(text: str) -> str:
    """Return a title, caption or name in one line of limited length, with its markup escaped."""
    joined = " ".join(text.split())
    return harmless_links(
        escape_markdown(f"{joined[:LINE_CHARS]}…" if len(joined) > LINE_CHARS else joined)
    )


def describe_empty_slot(slot: ImageSlot, say: Words) -> str:
    """Say what an empty place is for and why it is empty, without the operator's details."""
    why = say(REASONS[slot.why or NoImageReason.NOTHING])
    return say("why-line", {"what": escape_line(slot.need.caption), "why": why})


def describe_empty_slots(article: Article, say: Words) -> str:
    """List each empty place under its section's heading, with its reason."""
    lines = []
    for section, slot in list_empty_slots(article):
        named = section.heading not in {"", slot.need.caption}
        heading = f"**{escape_line(section.heading)}** · " if named else ""
        lines.append(f"◻️ {heading}{describe_empty_slot(slot, say)}")
        if count := len(slot.candidates):
            lines.append(f"-# {say('why-choose', {'count': count})}")
    return "\n".join(lines)

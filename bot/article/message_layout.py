"""An article as messages: each figure below its paragraphs, and credited.

It is shown as messages of components, or as plain ones where those are refused: then each picture
ends a message of its own section.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bot.article.captions import escape_line
from bot.i18n import Words
from bot.notices import Notice
from bot.render.components_layout import GAP, Layout, packed
from bot.render.format_answer import Block, Dressed, pages
from bot.render.link_defang import harmless_links
from bot.render.message_view import Face, Faces, Row, face_of, with_card, with_notes, with_row
from bot.render.split import MESSAGE_UNITS, units
from bot.render.svg_to_png import Picture
from jobqueue.article import ArticleFigure, Section

_ADDRESS = re.compile(r"https?://([a-z0-9.-]{1,100})(?:/[^\s<>()@]{0,300})?", re.IGNORECASE)


@dataclass(frozen=True)
class FigureView:
    """A figure: its picture, None where its bytes are gone, and what is said under it."""

    caption: str
    image: Picture | None = None


@dataclass(frozen=True)
class SectionView:
    """A section, its text dressed."""

    blocks: tuple[Block, ...]
    figures: tuple[FigureView, ...] = ()


@dataclass(frozen=True)
class ArticleView:
    """A whole article, ready to be shown either way."""

    sections: tuple[SectionView, ...]

    def messages(self, *, laid_out: bool) -> Faces:
        return tuple(self._laid_out() if laid_out else self.line())

    def with_notes_and_buttons(
        self, laid_out: bool, footnotes: Iterable[Notice], row: Row | None, words: Words
    ) -> Faces:
        """With notes and buttons below it."""
        return with_row(with_notes(self.messages(laid_out=laid_out), footnotes, words), row)

    def with_notice(self, laid_out: bool, notice: Notice, row: Row | None) -> Faces:
        """With its buttons, and why there is no new version."""
        return with_row(with_card(self.messages(laid_out=laid_out), notice), row)

    def _laid_out(self) -> Iterator[Face]:
        for page in packed(
            group for chapter in self.sections for group in _section_groups(chapter)
        ):
            yield Face(layout=page)

    def line(self) -> Iterator[Face]:
        for chapter in self.sections:
            yield from _plain_messages(chapter)


def section_markdown(section: Section, title: str = "") -> str:
    """A section's Markdown under its heading; the first one also under the title."""
    heading = f"## {_join_lines(section.heading)}" if section.heading else ""
    above = f"# {_join_lines(title)}" if title else ""
    return "\n".join(filter(None, (above, heading, section.text)))


def figure_caption(figure: ArticleFigure) -> str:
    """Caption and credits in small print; nothing in them is markup."""
    author = figure.author and f"© {escape_line(figure.author)}"
    credits_ = " · ".join(
        filter(None, (author, escape_line(figure.licence), _source_link(figure.source)))
    )
    caption = f"*{escape_line(figure.caption)}*" if figure.caption else ""
    return "\n".join(f"-# {each}" for each in (caption, credits_) if each)


# --- made of components -------------------------------------------------------------------------


def _section_groups(chapter: SectionView) -> Iterator[Layout]:
    """What is to be read at one glance: a section's text with its first figure, each other
    figure."""
    text, figures = (
        Layout((GAP, *chapter.blocks)),
        [_figure_layout(shot) for shot in chapter.figures],
    )
    if figures and (text + figures[0]).fits:
        yield text + figures[0]
        yield from figures[1:]
    else:
        yield from (text, *figures)


def _figure_layout(shot: FigureView) -> Layout:
    return Layout((shot.image, shot.caption) if shot.image else (shot.caption,))


# --- plain --------------------------------------------------------------------------------------


def _plain_messages(chapter: SectionView) -> Faces:
    faces = [face_of(page) for page in pages(Dressed(chapter.blocks))]
    for shot in chapter.figures:
        joined = f"{faces[-1].content}\n{shot.caption}" if faces else shot.caption
        if faces and not faces[-1].picture and units(joined) <= MESSAGE_UNITS:
            faces[-1] = replace(faces[-1], content=joined, picture=shot.image)
        else:
            faces.append(Face(shot.caption, shot.image))
    return tuple(faces)


def _source_link(text: str) -> str:
    """An address under the name of its host, which is where it leads."""
    address = _ADDRESS.fullmatch(text)
    return harmless_links(f"[{address[1]}](<{text}>)") if address else escape_line(text)


def _join_lines(text: str) -> str:
    return " ".join(text.split())

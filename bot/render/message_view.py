"""The view of each message of an answer at this moment.

A view holds all that people see of one message. The reply makes each message equal its view,
whatever the message showed before.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from bot.agent_trace import WorkKind
from bot.i18n import Words
from bot.notices import Notice
from bot.render.code_fences import code_block
from bot.render.components_layout import Layout
from bot.render.format_answer import (
    Block,
    FormattedAnswer,
    escape_markdown,
    format_as_text,
    format_draft,
    paginate,
    stack,
)
from bot.render.link_defang import harmless_links
from bot.render.split import MESSAGE_UNITS, split, units
from bot.render.svg_to_png import RenderedImage

# The quoted question above an answer. Discord shows readers that somebody used a command, but not
# the question.

MAX_QUOTE_UNITS = 300  # UTF-16 units, about
MAX_QUOTE_LINES = 4

# An address in angle brackets has no preview. Mentions ping nobody and are shown as names.
_UNDIVIDED = re.compile(r"(?P<address>https?://[^\s<>`]+)|<(?:@[!&]?|#)\d+>|<a?:\w+:\d+>")
_NEXT_LINE = "\n> "


def quote_question(
    text: str, longest: int = MAX_QUOTE_UNITS, lines: int | None = MAX_QUOTE_LINES
) -> str:
    """Quote the first lines that fit, without their markup."""
    every = [line.strip() for line in text.splitlines() if line.strip()]
    kept = every[:lines]
    quoted, room = "> ", longest - units("> …")
    for piece in _pieces("\n".join(kept)):
        room -= units(piece)
        if room < 0:
            return harmless_links(f"{quoted.removesuffix(_NEXT_LINE)}…")
        quoted += piece
    return harmless_links(f"{quoted}…" if len(kept) < len(every) else quoted)


def _pieces(text: str) -> Iterator[str]:
    """Split the text into pieces that are shown whole or not at all."""
    done = 0
    for match in _UNDIVIDED.finditer(text):
        yield from map(_plain, text[done : match.start()])
        yield f"<{match[0]}>" if match["address"] else match[0]
        done = match.end()
    yield from map(_plain, text[done:])


def _plain(character: str) -> str:
    return _NEXT_LINE if character == "\n" else escape_markdown(character)


@dataclass(frozen=True)
class ButtonState:
    """The state that decides which buttons a finished answer has."""

    job: str
    is_latest: bool = True  # the latest answer of its channel can be changed
    failed: bool = False  # there is no answer, only its steps
    can_retry: bool = False  # the failed question may be asked again
    can_continue: bool = False  # the answer was cut and can be continued
    current: int = 0  # the version that is shown
    version_count: int = 1
    work: WorkKind | None = None  # that can be read
    has_numbers: bool = False  # can be changed, to solve the problem anew
    has_formulas: bool = False  # can be copied
    is_article: bool = False  # can be edited and downloaded
    has_empty_slots: bool = False  # a place has no picture


@dataclass(frozen=True)
class PendingApproval:
    """A tool call that waits for a person's decision."""

    attempt: int
    step: int


@dataclass(frozen=True)
class MessageView:
    content: str = ""
    picture: RenderedImage | None = None  # under the content
    document: str = ""  # attached as Markdown
    notice: Notice | None = None  # shown as a card under the content
    card_as_text: bool = False  # the notice is a part of the content, where cards are not allowed
    stoppable: bool = False  # carries the Stop button
    approval: PendingApproval | None = None  # has buttons that allow or forbid a call
    buttons: ButtonState | None = None  # carries a finished answer's buttons
    layout: Layout | None = None  # made of components, in place of content and picture

    @property
    def has_files(self) -> bool:
        return bool(self.picture or self.document or (self.layout and self.layout.pictures))

    @property
    def text(self) -> str:
        if self.layout is None:
            return self.content
        return "\n".join(part for part in self.layout.parts if isinstance(part, str))

    def laid_out(self) -> "MessageView":
        """Return the view as a message of components.

        Discord never turns such a message back into a plain one.
        """
        if self.layout:
            return self
        parts = tuple(part for part in (self.content, self.picture) if part)
        return replace(self, content="", picture=None, layout=Layout(parts))

    def without_files(self) -> "MessageView":
        """Return the view as text alone, with the source of its image if there is room."""
        if self.layout:
            return replace(self, layout=self.layout.without_pictures(), document="")
        source = f"\n{code_block(self.picture.alt)}" if self.picture else ""
        content = self.content + source
        fits = units(content) <= MESSAGE_UNITS
        return replace(self, content=content if fits else self.content, picture=None, document="")


class Refusable(Enum):
    """The parts of a message that Discord may refuse at some places.

    Left out in this order: a text becomes a card and a file, which may be refused too.
    """

    LINKS = "links"  # blocked as harmful
    TEXT = "text"  # blocked by a filter, or not understood
    CARD = "card"  # without the permission Embed Links
    FILES = "files"  # permission, size, or a server whose uploads Discord has limited


MessageViews = tuple[MessageView, ...]

_ADDRESS = re.compile(r"https?://[^\s<>)\]]{1,2000}", re.IGNORECASE)

OUTDATED = MessageView("-# ⋯")  # of a message of an older text that a newer one has not come to yet
FILES_REFUSED = Notice("note-files-refused")
TEXT_REFUSED = Notice("text-refused")
MANY_MESSAGES = 3
NOTES_UNITS = 300  # that a message of components has room for, with a card


def view_waiting(notice: Notice, text: str = "", head: str = "") -> MessageViews:
    """View the notice under the text that a new answer will replace."""
    *before, last = view_notice(notice, text, head)
    return (*before, replace(last, stoppable=True))


def view_streaming(
    text: str, head: str = "", approval: PendingApproval | None = None, card: Notice | None = None
) -> MessageViews:
    """View the text so far below its steps, with a progress card and the Stop button."""
    shown = stack(head, format_draft(text))
    contents = [piece.content for piece in split(shown) if piece.body.strip()]
    if not contents and not card:
        return ()
    *before, last = map(MessageView, contents or [""])
    return (*before, replace(last, stoppable=True, approval=approval, notice=card))


def view_finished(
    answer: FormattedAnswer, footnotes: Iterable[Notice], words: Words
) -> MessageViews:
    views = _view_pages(answer)
    return with_notes(views, footnotes, words)


def with_document(shown: MessageViews, text: str) -> MessageViews:
    """Attach the text as a file to an answer of many messages, which are hard to copy."""
    if len(shown) <= MANY_MESSAGES:
        return shown
    *before, last = shown
    return (*before, replace(last, document=text))


def with_card(shown: MessageViews, notice: Notice) -> MessageViews:
    """Add the notice as a card under the last message."""
    *before, last = shown or (MessageView(),)
    return (*before, replace(last, notice=notice))


def view_notice(notice: Notice, text: str = "", head: str = "") -> MessageViews:
    """View the notice under the partial answer and its steps."""
    shown = format_as_text(text)
    return with_card(_view_pages(shown.with_header(head) if head else shown), notice)


def view_rework(shown: MessageViews, notice: Notice) -> MessageViews:
    """View an answer while it is being changed, with a status card."""
    *before, last = with_card(shown, notice)
    return (*before, replace(last, stoppable=True, buttons=None))


def with_notes(shown: MessageViews, footnotes: Iterable[Notice], words: Words) -> MessageViews:
    """Add the notes below the answer."""
    notes = "\n".join(f"-# {note.text(words)}" for note in footnotes)
    *before, last = shown or (MessageView(),)
    if last.layout and notes and units(notes) <= NOTES_UNITS:
        return (*before, replace(last, layout=last.layout + Layout((notes,))))
    return _with_last_line(shown, notes)


def with_buttons(shown: MessageViews, buttons: ButtonState | None) -> MessageViews:
    """Add the buttons under the last message."""
    *before, last = shown
    return (*before, replace(last, buttons=buttons))


def without_refused(view: MessageView, refused: Refusable, words: Words) -> MessageView:
    """Return the message without the part that Discord refused, and say so where content is
    missing."""
    match refused:
        case Refusable.FILES if view.has_files:
            noted = with_notes((view.without_files(),), [FILES_REFUSED], words)
            return noted[0] if len(noted) == 1 else replace(noted[0], notice=FILES_REFUSED)
        case Refusable.CARD if view.notice and not view.layout:
            return replace(view, card_as_text=True)
        case Refusable.LINKS:
            return _with_texts(view, lambda text: _ADDRESS.sub(words("link-refused"), text))
        case Refusable.TEXT if view.text:
            plain = replace(view, content="", picture=None, layout=None)
            document = "" if view.stoppable else view.text  # not anew with each edit
            return replace(plain, document=document, notice=TEXT_REFUSED)
        case _:
            return view


def limit_messages(shown: MessageViews, most: int, text: str, words: Words) -> MessageViews:
    """Return at most `most` messages.

    If there are more, the last one refers to a file with all of `text`.
    """
    if len(shown) <= most:
        return shown
    rest = words("answer-in-file") if text else words("answer-goes-on")
    last = replace(shown[-1], content=rest, picture=None, document=text)
    if last.layout:
        last = replace(last, content="", layout=Layout((rest,)))
    return (*shown[: most - 1], last)


def _with_texts(view: MessageView, change: Callable[[str], str]) -> MessageView:
    if view.layout is None:
        return replace(view, content=change(view.content))
    parts = (change(part) if isinstance(part, str) else part for part in view.layout.parts)
    return replace(view, layout=Layout(tuple(parts)))


def _view_pages(answer: FormattedAnswer) -> MessageViews:
    """View each page as a message."""
    return tuple(view_page(page) for page in paginate(answer))


def view_page(page: tuple[Block, ...]) -> MessageView:
    """View a page: its text, and the image that ends it."""
    content = "\n".join(block for block in page if isinstance(block, str))
    picture = next((block for block in page if isinstance(block, RenderedImage)), None)
    return MessageView(content, picture)


def _with_last_line(views: MessageViews, line: str) -> MessageViews:
    """Add a line at the end. Below an image it needs a message of its own."""
    if not line:
        return views
    *before, last = views or (MessageView(),)
    joined = f"{last.content.rstrip()}\n{line}" if last.content else line
    if last.layout or last.picture or units(joined) > MESSAGE_UNITS:
        return (*views, MessageView(line))
    return (*before, replace(last, content=joined))

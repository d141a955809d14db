"""An article as files: Markdown with its pictures beside it, and one self-contained HTML page."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from bot.article.html_page import to_html
from bot.notices import Notice, QuestionRefused
from jobqueue.article import Article, ArticleFigure, ImageSlot

NAME_CHARS = 60

TOO_LARGE = Notice("article-too-large")

Pictures = Mapping[str, bytes | None]  # by SHA-256; None where they are gone


@dataclass(frozen=True)
class ArticleZip:
    name: str
    stream: BytesIO


def export_zip(article: Article, pictures: Pictures, most_bytes: int) -> ArticleZip:
    """Return article.md with pictures/, and article.html, in one archive of at most `most_bytes`.

    Raises:
        Refused: it is too large to be sent, even without the separate pictures.
    """
    for apart in (True, False):
        stream = BytesIO()
        with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
            for name, data in _list_files(article, pictures, apart=apart):
                packed = ZIP_STORED if name.startswith("pictures/") else ZIP_DEFLATED
                archive.writestr(name, data, packed)
        if stream.tell() <= most_bytes:
            stream.seek(0)
            return ArticleZip(f"{file_name(article.title)}.zip", stream)
    raise QuestionRefused(TOO_LARGE)


def file_name(title: str) -> str:
    kept = "".join(c if c.isalnum() or c in "-_" else " " for c in title)
    return "-".join(kept.split())[:NAME_CHARS].strip("-") or "article"


def _list_files(
    article: Article, pictures: Pictures, *, apart: bool
) -> Iterator[tuple[str, str | bytes]]:
    names = {figure.picture.sha256: f"pictures/{name}" for figure, name in _name_figures(article)}
    there = {sha256: data for sha256, data in pictures.items() if data}
    addresses = {
        figure.picture.sha256: _data_url(figure, there[figure.picture.sha256])
        for figure in article.figures
        if figure.picture.sha256 in there
    }
    yield "article.html", to_html(article, addresses)
    local = {sha256: names[sha256] for sha256 in addresses}
    yield "article.md", to_markdown(article, local if apart else {})
    if apart:
        for sha256, name in local.items():
            yield name, there[sha256]


def _name_figures(article: Article) -> Iterator[tuple[ArticleFigure, str]]:
    for number, figure in enumerate(article.figures, start=1):
        extension = figure.picture.media_type.rpartition("/")[2]
        yield figure, f"{number}-{file_name(figure.caption)}.{extension}"


def _data_url(figure: ArticleFigure, data: bytes) -> str:
    return f"data:{figure.picture.media_type};base64,{b64encode(data).decode()}"


# --- Markdown -----------------------------------------------------------------------------------


def to_markdown(article: Article, addresses: Mapping[str, str]) -> str:
    """Return the article as Markdown, with the pictures that have an address."""
    blocks = [f"# {article.title}"]
    for section in article.sections:
        blocks += [f"## {section.heading}"] if section.heading else []
        blocks += [section.text, *(_figure_markdown(slot, addresses) for slot in section.slots)]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _figure_markdown(slot: ImageSlot, addresses: Mapping[str, str]) -> str:
    if (figure := slot.figure) is None:
        return ""
    address = addresses.get(figure.picture.sha256)
    alt = escape(figure.alt or figure.caption).replace("[", "\\[").replace("]", "\\]")
    picture = f"![{alt}](<{address}>)\n\n" if address else ""
    credits_ = " · ".join(filter(None, credits_of(figure)))
    return f"{picture}*{figure.caption}*" + (f"\n\n{credits_}" if credits_ else "")


def credits_of(figure: ArticleFigure) -> tuple[str, ...]:
    return (figure.author and f"© {figure.author}", figure.licence, figure.source)

"""An article as files: Markdown with its pictures beside it, and one self-contained HTML page."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape, unescape
from importlib import resources
from io import BytesIO
from xml.etree.ElementTree import Element, tostring
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt

from bot.notices import Notice, QuestionRefused
from bot.render.formulas import Formula, extract
from bot.render.latex_to_png import normalize_rows
from jobqueue.article import Article, ArticleFigure, ImageSlot, Section

# An article as one HTML page: it contains its images and MathML, and fetches nothing.
#
# Text of a model or person stays text: raw HTML is shown as it is written, and a link may
# lead to http and https alone.

ATTRIBUTES = frozenset({  # of formulas; none of them leads anywhere or runs anything
    "accent", "accentunder", "columnalign", "columnlines", "columnspacing", "depth", "display",
    "displaystyle", "fence", "form", "frame", "height", "largeop", "linethickness", "lspace",
    "mathcolor", "mathvariant", "maxsize", "minsize", "movablelimits", "notation", "rowlines",
    "rowspacing", "rspace", "scriptlevel", "separator", "stretchy", "symmetric", "voffset", "width",
    "xmlns",
})  # fmt: skip
_WEB = re.compile(r"https?://", re.IGNORECASE)
_TEXT_ESCAPE = re.compile(r"\\([$%&#_])")  # the converter leaves these in `\text`
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(\w+\*?)\}")
# Environments that the converter knows, for those that it does not know.
_ENVIRONMENTS = {
    "aligned": "split", "dcases": "cases", "gather": "matrix", "gather*": "matrix",
    "gathered": "matrix",
}  # fmt: skip
_MARK = "\ue000{}\ue001"  # stands for a formula while Markdown is read
_MARKED = re.compile("\ue000(\\d+)\ue001")


def to_html(article: Article, addresses: Mapping[str, str]) -> str:
    """Return the page. `addresses` are by SHA-256; a picture without one is left to its caption."""
    sections = "\n".join(
        f"<section>\n{''.join(_section_html(section, addresses))}</section>"
        for section in article.sections
    )
    title = escape(article.title)
    style = resources.files("bot.article").joinpath("page.css").read_text(encoding="utf-8")
    return (
        f'<!doctype html>\n<html lang="{escape(article.language or "en")}">\n<head>\n'
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<article>\n"
        f"<h1>{title}</h1>\n{sections}\n</article>\n</body>\n</html>\n"
    )


def _section_html(section: Section, addresses: Mapping[str, str]) -> Iterator[str]:
    if section.heading:
        yield f"<h2>{escape(section.heading)}</h2>\n"
    yield markdown_to_html(section.text)
    for slot in section.slots:
        if slot.figure:
            yield _figure_html(slot.figure, addresses.get(slot.figure.picture.sha256))


def _figure_html(figure: ArticleFigure, address: str | None) -> str:
    alt = escape(figure.alt or figure.caption)
    picture = f'<img src="{escape(address)}" alt="{alt}">\n' if address else ""
    credits_ = " · ".join(filter(None, _credits(figure)))
    small = f"\n<small>{credits_}</small>" if credits_ else ""
    caption = f"<figcaption>{escape(figure.caption)}{small}</figcaption>"
    return f"<figure>\n{picture}{caption}\n</figure>\n"


def _credits(figure: ArticleFigure) -> tuple[str, ...]:
    source = escape(figure.source)
    if _WEB.match(figure.source):
        source = f'<a href="{source}">{source}</a>'
    return (figure.author and f"© {escape(figure.author)}", escape(figure.licence), source)


# --- Markdown -----------------------------------------------------------------------------------


def markdown_to_html(text: str) -> str:
    """Convert Markdown to HTML, with its formulas as MathML."""
    formulas: list[Formula] = []
    prose = ""
    for part in extract(re.sub("[\ue000\ue001]", "", text)):
        if isinstance(part, Formula):
            prose += _MARK.format(len(formulas))
            formulas.append(part)
        else:
            prose += part
    html: str = _MARKDOWN.render(prose)
    return _MARKED.sub(lambda mark: _to_mathml(formulas[int(mark[1])]), html)


def _to_mathml(formula: Formula) -> str:
    """Convert a formula. One that fails, or contains more than mathematics, stays as source."""
    display = "block" if formula.display else "inline"
    try:
        tree = convert_to_element(_rename_environments(formula.latex), display=display)
    except Exception:  # the converter raises whatever it comes upon
        return f"<code>{escape(formula.source)}</code>"
    if not all(_is_safe_mathml(element) for element in tree.iter()):
        return f"<code>{escape(formula.source)}</code>"
    for element in tree.iter():  # the converter writes character references
        element.text = element.text and _TEXT_ESCAPE.sub(r"\1", unescape(element.text))
    return tostring(tree, encoding="unicode")


def _rename_environments(latex: str) -> str:
    def rename(found: re.Match[str]) -> str:
        return f"\\{found[1]}{{{_ENVIRONMENTS.get(found[2], found[2])}}}"

    return _ENVIRONMENT.sub(rename, normalize_rows(latex))


def _is_safe_mathml(element: Element) -> bool:
    is_aligned = element.text != "&"  # a mark of alignment that was not understood
    return is_aligned and element.tag.startswith("m") and ATTRIBUTES.issuperset(element.attrib)


def _create_markdown_parser() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    reader.disable("image")  # none is fetched from elsewhere
    reader.validateLink = lambda url: _WEB.match(url) is not None  # type: ignore[method-assign]
    return reader


_MARKDOWN = _create_markdown_parser()


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
        QuestionRefused: it is too large to be sent, even without the separate pictures.
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

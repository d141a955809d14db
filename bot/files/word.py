"""Reads a Word document (.docx): all that a person sees in it, in order, as lines of text.

The document is read block by block and let go again, so the work is bounded by what is asked for
and by `MAX_ELEMENTS`, whatever numbers stand in the file. Elements that are not known are read for
what stands in them; those that are no text are counted by kind.
"""

import io
import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from lxml import etree

from bot.files import omml

MAX_UNPACKED = 100 << 20  # bytes of all parts that are read
MAX_ELEMENTS = 3_000_000  # of the document's body
MAX_SECTIONS = 200
DEEPEST_STYLE = 10
DEEPEST_LIST = 8  # levels are counted from 0
MAX_PADDING = 16  # empty cells for one that spans columns

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = b"http://purl.oclc.org/ooxml/"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_V = "{urn:schemas-microsoft-com:vml}"
_O = "{urn:schemas-microsoft-com:office:office}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"

# The strict variant of the format has other names for the same elements.
_STRICT_NAMES = (
    (b"http://purl.oclc.org/ooxml/wordprocessingml/main", _W),
    (b"http://purl.oclc.org/ooxml/officeDocument/math", _M),
    (b"http://purl.oclc.org/ooxml/officeDocument/relationships", _R),
    (b"http://purl.oclc.org/ooxml/drawingml/main", _A),
    (b"http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing", _WP),
)

_BLOCKS = {f"{_W}p", f"{_W}tbl"}
_NOT_SHOWN = {
    *(f"{_W}{name}" for name in ("del", "moveFrom", "delText", "instrText", "delInstrText")),
    *(f"{_W}{name}" for name in ("pPr", "rPr", "sectPr", "tblPr", "trPr", "tcPr", "tblGrid")),
    *(f"{_W}{name}" for name in ("sdtPr", "sdtEndPr", "footnoteRef", "endnoteRef", "fldData")),
    *(f"{_W}{name}" for name in ("annotationRef", "rubyPr", "customXmlPr", "smartTagPr")),
    f"{_WP}posOffset",
    f"{_WP}align",
    f"{_WP}pctWidth",
    f"{_W14}checkbox",
}
_SIGNS = {
    f"{_W}tab": "\t", f"{_W}ptab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n",
    f"{_W}noBreakHyphen": "-", f"{_W}softHyphen": "",
}  # fmt: skip
_OBJECTS = {  # kinds of drawings, by the end of their address
    "picture": "pictures",
    "chart": "charts",
    "chartex": "charts",
    "diagram": "diagrams",
    "ink": "pictures",
}
_MARKERS = {"pictures": "picture", "charts": "chart", "diagrams": "diagram", "objects": "object"}


class UnreadableWord(Exception):
    """The file is no Word document, or it is damaged, locked or unpacks to too much; the argument
    says which."""


@dataclass
class WordText:
    text: str
    cut: bool
    skipped: tuple[str, ...] = ()  # kinds of what was not read


@dataclass
class _Notes:
    """Footnotes, endnotes or comments, numbered in the order in which the text refers to them."""

    part: str
    element: str
    label: str
    numbers: dict[str, int] = field(default_factory=dict)

    def refer(self, number: str) -> str:
        return f"[{self.label} {self.numbers.setdefault(number, len(self.numbers) + 1)}]"


def read_word(data: bytes, max_chars: int) -> WordText:
    """Return the document's text, at most `max_chars` of it.

    Raises:
        UnreadableWord: it cannot be read.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            package = _Package(archive)
            return _Reader(package, max_chars).read()
    except (zipfile.BadZipFile, etree.XMLSyntaxError, KeyError, EOFError, ValueError) as error:
        raise UnreadableWord("broken") from error
    except (RuntimeError, NotImplementedError) as error:  # zipfile's words for a password
        raise UnreadableWord("locked") from error


class _Package:
    """The parts of a document, and how they refer to each other."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = MAX_UNPACKED
        main = [
            target
            for kind, target, external in self.relations("").values()
            if kind == "officeDocument" and not external
        ]
        self.main = main[0] if main else "word/document.xml"

    def open(self, part: str) -> IO[bytes]:
        """Return a part's bytes as a file; what it unpacks to is bounded."""
        size = self._archive.getinfo(part).file_size
        self._left -= size
        if self._left < 0:
            raise UnreadableWord("bomb")
        file = self._archive.open(part)
        head = file.read(4_096)
        file.close()
        if _STRICT in head:
            data = self._archive.read(part)
            for strict, usual in _STRICT_NAMES:
                data = data.replace(strict + b'"', usual.strip("{}").encode() + b'"')
            return io.BytesIO(data)
        return self._archive.open(part)

    def tree(self, part: str) -> Any:
        """Return a part's root element; None where there is no such part."""
        try:
            file = self.open(part)
        except KeyError:
            return None
        with file:
            return etree.parse(file, _parser()).getroot()

    def relations(self, part: str) -> dict[str, tuple[str, str, bool]]:
        """Return by id: kind, target, and whether it lies outside of the file."""
        folder, name = posixpath.split(part)
        root = self.tree(posixpath.join(folder, "_rels", f"{name}.rels"))
        found = {}
        for each in root if root is not None else ():
            if not isinstance(each.tag, str):
                continue
            target = each.get("Target", "")
            outside = each.get("TargetMode") == "External"
            if not outside:
                target = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            kind = each.get("Type", "").rsplit("/", 1)[-1]
            found[each.get("Id", "")] = (kind, target, outside)
        return found


def _parser() -> Any:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    )


class _Reader:
    def __init__(self, package: _Package, max_chars: int) -> None:
        self._package = package
        self._limit = max_chars
        self._relations = package.relations(package.main)
        self._numbering = _Numbering(self._part("numbering"), self._part("styles"))
        self._skipped: Counter[str] = Counter()
        self._notes = {
            "footnoteReference": _Notes("footnotes", "footnote", "note"),
            "endnoteReference": _Notes("endnotes", "endnote", "endnote"),
            "commentReference": _Notes("comments", "comment", "comment"),
        }
        self._sections: list[Any] = []
        self._headers: dict[str, str] = {}  # headers and footers by their relation

    def read(self) -> WordText:
        body, length, cut = [], 0, False
        for block in self._top_blocks():
            for line in self._lines(block):
                body.append(line)
                length += len(line) + 1
            if length > self._limit:
                cut = True
                break
        edges = self._headers_and_footers()
        lines = [*edges["header"], *body]
        if not cut:
            for notes in self._notes.values():
                lines += self._note_lines(notes)
            lines += edges["footer"]
        text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
        return WordText(
            text[: self._limit], cut or len(text) > self._limit, tuple(sorted(self._skipped))
        )

    def _part(self, kind: str) -> Any:
        for each, target, outside in self._relations.values():
            if each == kind and not outside:
                return self._package.tree(target)
        return None

    def _top_blocks(self) -> Iterator[Any]:
        """Yield what stands directly in the body, and let it go once it is read."""
        count = 0
        found_body = False
        with self._package.open(self._package.main) as file:
            events = etree.iterparse(
                file,
                events=("start", "end"),
                resolve_entities=False,
                no_network=True,
                load_dtd=False,
                remove_comments=True,
            )
            depth = 0
            for event, element in events:
                depth += 1 if event == "start" else -1
                count += event == "start"
                if count > MAX_ELEMENTS:
                    raise UnreadableWord("bomb")
                if event == "start":
                    found_body = found_body or element.tag == f"{_W}body"
                elif depth == 2:
                    yield element
                    element.clear()
                    while (before := element.getprevious()) is not None:
                        element.getparent().remove(before)
        if not found_body:
            raise UnreadableWord("broken")

    # --- blocks -------------------------------------------------------------------------------

    def _lines(self, element: Any) -> Iterator[str]:
        """Yield the lines of a block: of a paragraph, a table, or what holds such."""
        tag = element.tag
        if not isinstance(tag, str) or tag in _NOT_SHOWN:
            if tag == f"{_W}sectPr" and len(self._sections) < MAX_SECTIONS:
                # A copy apart from the document, which is freed.
                self._sections.append(etree.fromstring(etree.tostring(element), _parser()))
            return
        if tag == f"{_W}p":
            yield from self._paragraph(element)
        elif tag == f"{_W}tbl":
            yield from self._table(element)
        elif tag == f"{_MC}AlternateContent":
            yield from self._lines_of_children(_first_visible_alternative(element))
        elif tag == f"{_W}altChunk":
            self._skipped["objects"] += 1
            yield "[object]"
        elif tag in (f"{_M}oMath", f"{_M}oMathPara"):
            yield self._inline(element, [])
        else:
            yield from self._lines_of_children(element)

    def _lines_of_children(self, element: Any) -> Iterator[str]:
        for child in element if element is not None else ():
            yield from self._lines(child)

    def _paragraph(self, paragraph: Any) -> Iterator[str]:
        properties = paragraph.find(f"{_W}pPr")
        boxes: list[str] = []
        text = ""
        for child in paragraph:
            part = self._inline(child, boxes)
            apart = text.endswith("$") and part.startswith("$")  # two formulas, and no display
            text += f" {part}" if apart else part
        if properties is not None:
            list(self._lines_of_children(properties))  # a section's end
        number = self._numbering.number(properties) if text.strip() else ""
        yield number + text
        yield from boxes

    def _table(self, table: Any) -> Iterator[str]:
        for row in _descend(table, f"{_W}tr"):
            properties = row.find(f"{_W}trPr")
            if properties is not None and properties.find(f"{_W}del") is not None:
                continue
            cells: list[str] = []
            for cell in _descend(row, f"{_W}tc"):
                cells += self._cells(cell)
            yield " | ".join(cells)

    def _cells(self, cell: Any) -> Iterator[str]:
        properties = cell.find(f"{_W}tcPr")
        span = 1
        if properties is not None:
            if properties.find(f"{_W}cellDel") is not None:
                return
            grid = properties.find(f"{_W}gridSpan")
            value = grid.get(f"{_W}val", "") if grid is not None else ""
            if value.isdecimal() and len(value) < 8:
                span = min(int(value), MAX_PADDING)
        yield self._in_one_line(cell)
        yield from [""] * (span - 1)

    def _in_one_line(self, element: Any) -> str:
        """Return all blocks of a cell; a table in it stands in brackets."""
        parts = []
        for child in _descend(element, f"{_W}p", f"{_W}tbl"):
            lines = [" ".join(line.split()) for line in self._lines(child)]
            lines = [line for line in lines if line]
            if child.tag == f"{_W}tbl" and lines:
                parts.append(f"[{'; '.join(lines)}]")
            else:
                parts += lines
        return " ".join(parts)

    # --- within a line ------------------------------------------------------------------------

    def _inline(self, element: Any, boxes: list[str]) -> str:
        """Return the text of a part of a paragraph; text boxes in it go to `boxes`."""
        tag = element.tag
        if not isinstance(tag, str) or tag in _NOT_SHOWN:
            return ""
        if tag in _SIGNS:
            return _SIGNS[tag]
        if special := _INLINE.get(tag):
            return special(self, element, boxes)
        return "".join(self._inline(child, boxes) for child in element)

    def _run(self, run: Any, boxes: list[str]) -> str:
        properties = run.find(f"{_W}rPr")
        font = ""
        if properties is not None:
            if (hidden := properties.find(f"{_W}vanish")) is not None and _is_on(hidden):
                return ""
            if (fonts := properties.find(f"{_W}rFonts")) is not None:
                font = fonts.get(f"{_W}ascii", "")
        text = "".join(self._inline(child, boxes) for child in run)
        return "".join(_symbol(font, ord(c)) if "\uf020" <= c <= "\uf0ff" else c for c in text)

    def _text(self, element: Any, _boxes: list[str]) -> str:
        return element.text or ""

    def _alternate(self, element: Any, boxes: list[str]) -> str:
        chosen = _first_visible_alternative(element)
        return "".join(self._inline(child, boxes) for child in chosen) if chosen is not None else ""

    def _text_box(self, element: Any, boxes: list[str]) -> str:
        boxes += self._lines_of_children(element)
        return ""

    def _formula(self, element: Any, _boxes: list[str]) -> str:
        latex = omml.to_latex(element)
        return f"${latex}$" if latex else ""

    def _formulas(self, element: Any, boxes: list[str]) -> str:
        return " ".join(filter(None, (self._inline(child, boxes) for child in element)))

    def _symbol(self, element: Any, _boxes: list[str]) -> str:
        try:
            code = int(element.get(f"{_W}char", ""), 16)
        except ValueError:
            return ""
        return _symbol(element.get(f"{_W}font", ""), code)

    def _ruby(self, element: Any, boxes: list[str]) -> str:
        base, above = element.find(f"{_W}rubyBase"), element.find(f"{_W}rt")
        text = self._inline(base, boxes) if base is not None else ""
        reading = self._inline(above, boxes) if above is not None else ""
        return f"{text}({reading})" if reading else text

    def _note(self, element: Any, _boxes: list[str]) -> str:
        name = element.tag.removeprefix(_W)
        return self._notes[name].refer(element.get(f"{_W}id", ""))

    def _field(self, element: Any, _boxes: list[str]) -> str:
        """Return the sign of a form's box; other fields are their results, which follow."""
        box = element.find(f"{_W}ffData/{_W}checkBox")
        if box is None:
            return ""
        state = box.find(f"{_W}checked")
        state = box.find(f"{_W}default") if state is None else state
        return "☒" if state is not None and _is_on(state) else "☐"

    def _drawing(self, element: Any, boxes: list[str]) -> str:
        uris = [data.get("uri", "") for data in element.iter(f"{_A}graphicData")]
        text = "".join(self._inline(child, boxes) for child in element)
        for uri in uris:
            kind = _OBJECTS.get(uri.rsplit("/", 1)[-1])
            if kind:
                about = next((d.get("descr", "") for d in element.iter(f"{_WP}docPr")), "")
                text += self._skip(kind, about)
        return text

    def _picture(self, element: Any, boxes: list[str]) -> str:
        """Return what a picture of the older kind (VML) or an embedded object holds."""
        text = "".join(self._inline(child, boxes) for child in element)
        if element.find(f".//{_O}OLEObject") is not None:
            return text + self._skip("objects")
        if element.find(f".//{_V}imagedata") is not None:
            text += self._skip("pictures")
        return text

    def _skip(self, kind: str, about: str = "") -> str:
        self._skipped[kind] += 1
        about = " ".join(about.split())[:200]
        return f"[{_MARKERS[kind]}: {about}]" if about else f"[{_MARKERS[kind]}]"

    def _word_art(self, element: Any, boxes: list[str]) -> str:
        boxes.append(element.get("string", ""))
        return ""

    # --- around the body ----------------------------------------------------------------------

    def _headers_and_footers(self) -> dict[str, list[str]]:
        """Return the lines of those that are shown on some page, each once."""
        found: dict[str, list[str]] = {"header": [], "footer": []}
        settings = self._part("settings")
        both = settings is not None and settings.find(f"{_W}evenAndOddHeaders") is not None
        for section in self._sections:
            title = section.find(f"{_W}titlePg")
            shown = {"default", *(["even"] if both else [])}
            shown |= {"first"} if title is not None and _is_on(title) else set()
            for place, lines in found.items():
                for reference in section.findall(f"{_W}{place}Reference"):
                    if reference.get(f"{_W}type", "default") in shown:
                        lines.append(self._header(reference.get(f"{_R}id", "")))
        return {
            place: [f"[{place}] {line}" for line in dict.fromkeys(lines) if line]
            for place, lines in found.items()
        }

    def _header(self, relation: str) -> str:
        """Return a header or footer in one line."""
        if relation not in self._headers:
            _, target, outside = self._relations.get(relation, ("", "", True))
            root = None if outside else self._package.tree(target)
            self._headers[relation] = " ".join(" ".join(self._lines_of_children(root)).split())
        return self._headers[relation]

    def _note_lines(self, notes: _Notes) -> Iterator[str]:
        root = self._part(notes.part) if notes.numbers else None
        if root is None:
            return
        texts = {}
        for note in root.findall(f"{_W}{notes.element}"):
            number = note.get(f"{_W}id", "")
            if number in notes.numbers:
                who = note.get(f"{_W}author", "")
                words = " ".join(" ".join(self._lines_of_children(note)).split())
                texts[number] = f" ({who}): {words}" if who else f": {words}"
        for number, count in notes.numbers.items():
            yield f"[{notes.label} {count}]{texts.get(number, '')}"


_INLINE = {
    f"{_W}r": _Reader._run,
    f"{_W}t": _Reader._text,
    f"{_W}sym": _Reader._symbol,
    f"{_W}ruby": _Reader._ruby,
    f"{_W}drawing": _Reader._drawing,
    f"{_W}pict": _Reader._picture,
    f"{_W}object": _Reader._picture,
    f"{_W}fldChar": _Reader._field,
    f"{_W}txbxContent": _Reader._text_box,
    f"{_W}footnoteReference": _Reader._note,
    f"{_W}endnoteReference": _Reader._note,
    f"{_W}commentReference": _Reader._note,
    f"{_W}subDoc": lambda reader, *_: reader._skip("objects"),
    f"{_W}control": lambda reader, *_: reader._skip("objects"),
    f"{_V}textpath": _Reader._word_art,
    f"{_M}oMath": _Reader._formula,
    f"{_M}oMathPara": _Reader._formulas,
    f"{_MC}AlternateContent": _Reader._alternate,
}


def _descend(element: Any, *tags: str) -> Iterator[Any]:
    """Yield the nearest elements of these kinds, through what only wraps them."""
    for child in element:
        if child.tag in tags:
            yield child
        elif child.tag == f"{_MC}AlternateContent":
            chosen = _first_visible_alternative(child)
            yield from _descend(chosen, *tags) if chosen is not None else ()
        elif isinstance(child.tag, str) and child.tag not in _NOT_SHOWN | _BLOCKS:
            yield from _descend(child, *tags)


def _first_visible_alternative(alternate: Any) -> Any:
    """Return the first of the alternatives that shows something."""
    options = [child for child in alternate if child.tag in (f"{_MC}Choice", f"{_MC}Fallback")]
    for option in options:
        if any(True for _ in option.iter(f"{_W}t", f"{_M}t", f"{_A}graphicData", f"{_V}textpath")):
            return option
    return options[0] if options else None


def _is_on(element: Any) -> bool:
    return element.get(f"{_W}val", "1") not in ("0", "false", "off", "none")


# --- numbers of lists -----------------------------------------------------------------------


class _Numbering:
    """Count what lists show before their paragraphs."""

    def __init__(self, numbering: Any, styles: Any) -> None:
        self._levels: dict[tuple[str, int], tuple[str, str, int]] = {}  # format, text, start
        self._counts: dict[str, dict[int, int]] = {}
        self._abstract: dict[str, str] = {}
        self._of_style: dict[str, tuple[str, int]] = {}
        self._restarts: dict[tuple[str, int], int] = {}  # first numbers of restarted lists
        if numbering is not None:
            self._read_levels(numbering)
        if styles is not None:
            self._read_styles(styles)

    def _read_styles(self, styles: Any) -> None:
        """Learn which styles are numbered. A style inherits its numbering from its base."""
        base: dict[str, str] = {}
        for style in styles.findall(f"{_W}style"):
            name = style.get(f"{_W}styleId", "")
            base[name] = _value(style.find(f"{_W}basedOn"))
            if found := _list_of(style.find(f"{_W}pPr")):
                self._of_style[name] = found
        for name in base:
            below = name
            for _ in range(DEEPEST_STYLE):
                if below in self._of_style or not below:
                    break
                below = base.get(below, "")
            if below in self._of_style:
                self._of_style[name] = self._of_style[below]

    def _read_levels(self, numbering: Any) -> None:
        for abstract in numbering.findall(f"{_W}abstractNum"):
            name = abstract.get(f"{_W}abstractNumId", "")
            for level in abstract.findall(f"{_W}lvl"):
                depth = min(_integer(level.get(f"{_W}ilvl", "0")), DEEPEST_LIST)
                kind = _value(level.find(f"{_W}numFmt")) or "decimal"
                start = _integer(_value(level.find(f"{_W}start")) or "1")
                self._levels[name, depth] = (kind, _value(level.find(f"{_W}lvlText")), start)
        for number in numbering.findall(f"{_W}num"):
            name = number.get(f"{_W}numId", "")
            self._abstract[name] = _value(number.find(f"{_W}abstractNumId"))
            for override in number.findall(f"{_W}lvlOverride"):
                depth = min(_integer(override.get(f"{_W}ilvl", "0")), DEEPEST_LIST)
                if (start := override.find(f"{_W}startOverride")) is not None:
                    self._restarts[name, depth] = _integer(_value(start))

    def number(self, properties: Any) -> str:
        """Return what stands before the next paragraph with these properties."""
        found = _list_of(properties)
        if properties is not None and (style := properties.find(f"{_W}pStyle")) is not None:
            of_style = self._of_style.get(_value(style))
            if found is None:
                found = of_style
            elif of_style and not found[0]:
                found = of_style[0], found[1]
        if found is None or found[0] in ("", "0"):
            return ""
        name, depth = found
        abstract = self._abstract.get(name, "")
        kind, pattern, start = self._levels.get((abstract, depth), ("", "", 1))
        if not kind or kind == "none":
            return ""
        indent = "  " * depth
        if kind == "bullet":
            return f"{indent}• "
        counts = self._counts.setdefault(abstract, {})
        if (name, depth) in self._restarts:
            counts[depth] = self._restarts.pop((name, depth)) - 1
        counts[depth] = counts.get(depth, start - 1) + 1
        for deeper in [level for level in counts if level > depth]:
            del counts[deeper]
        return f"{indent}{self._format(abstract, pattern, counts)} "

    def _format(self, abstract: str, pattern: str, counts: dict[int, int]) -> str:
        def replace(match: re.Match[str]) -> str:
            depth = int(match[1]) - 1
            kind, _, start = self._levels.get((abstract, depth), ("decimal", "", 1))
            return _numeral(counts.get(depth, start), kind)

        return re.sub(r"%([1-9])", replace, pattern[:100])


def _list_of(properties: Any) -> tuple[str, int] | None:
    found = properties.find(f"{_W}numPr") if properties is not None else None
    if found is None:
        return None
    depth = min(_integer(_value(found.find(f"{_W}ilvl")) or "0"), DEEPEST_LIST)
    return _value(found.find(f"{_W}numId")), depth


def _value(element: Any) -> str:
    return element.get(f"{_W}val", "") if element is not None else ""


def _integer(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 8 else 0


_ROMAN = {1000: "m", 900: "cm", 500: "d", 400: "cd", 100: "c", 90: "xc", 50: "l"}
_ROMAN |= {40: "xl", 10: "x", 9: "ix", 5: "v", 4: "iv", 1: "i"}
_HAN_DIGITS = "〇一二三四五六七八九"


def _numeral(number: int, kind: str) -> str:
    lower = kind.lower()
    if lower.endswith("letter") and number > 0:
        text = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 % 8 + 1)
    elif lower.endswith("roman") and 0 < number < 4_000:
        text = ""
        for value, letters in _ROMAN.items():
            text += letters * (number // value)
            number %= value
    elif lower == "decimalzero":
        text = f"{number:02}"
    elif lower.startswith(("chinese", "japanesecounting", "ideograph", "taiwanese")):
        text = _han(number)
    elif kind.startswith("decimalEnclosedCircle") and 0 < number <= 20:
        text = chr(0x245F + number)
    else:
        text = str(number)
    return text.upper() if kind.startswith("upper") else text


def _han(number: int) -> str:
    if not 0 < number < 100:
        return "".join(_HAN_DIGITS[int(digit)] for digit in str(number))
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else _HAN_DIGITS[tens]) + "十" if tens else ""
    return head + (_HAN_DIGITS[ones] if ones else "")


# --- signs of the fonts that have no letters ------------------------------------------------

# Adobe's encoding of Symbol, from 0x41 on.
_SYMBOL_LETTERS = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
_SYMBOL = {0x41 + i: c for i, c in enumerate(_SYMBOL_LETTERS)}
_SYMBOL |= {
    0xA0 + i: c
    for i, c in enumerate("€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑")
}
_SYMBOL |= {0x22: "∀", 0x24: "∃", 0x27: "∋", 0x2A: "∗", 0x2D: "−", 0x40: "≅", 0xF2: "∫"}
_WINGDINGS = {
    0x4A: "☺", 0x4C: "☹", 0x6C: "●", 0x6E: "■", 0x6F: "□", 0x71: "❑", 0x75: "◆", 0x76: "❖",
    0x9F: "•", 0xA7: "▪", 0xA8: "□", 0xB7: "•", 0xD8: "➢", 0xE0: "→", 0xDF: "←", 0xE1: "↑",
    0xE2: "↓", 0xE8: "➔", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑", 0x22: "✂",
    0x28: "☎", 0x2A: "✉", 0x36: "⌛", 0x46: "☞", 0x41: "✌", 0x52: "☼", 0x5E: "♈", 0xAB: "★",
}  # fmt: skip


def _symbol(font: str, code: int) -> str:
    """Return the character that a sign of such a font looks like."""
    own = code & 0xFF if 0xF000 <= code <= 0xF0FF else code
    if "symbol" in font.lower():
        return _SYMBOL.get(own, chr(own) if 0x20 < own < 0x7F else "□")
    if "wingdings" in font.lower() or "webdings" in font.lower():
        if font.lower().endswith("2"):
            return {0x50: "✓", 0x4F: "✗", 0x52: "☑", 0x51: "☒", 0xA3: "☐"}.get(own, "□")
        return _WINGDINGS.get(own, "□")
    if own != code:
        return _WINGDINGS.get(own, _SYMBOL.get(own, "□"))
    return chr(code) if 0x20 <= code < 0xD800 else "□"

"""Of a Word document all is read that a person sees, in order, and each thing once."""

import io
import time
import zipfile
from itertools import pairwise

import pytest

from bot.files import word
from bot.files.file_reader import FileReader, Skipped, Text
from bot.files.word import UnreadableWord, read_word
from tests.bot.files import making
from tests.bot.files.making import paragraph as p
from tests.bot.files.making import run as r
from tests.bot.files.making import word_of


def read(body: str, **parts: str) -> str:
    return read_word(word_of(body, parts), 10_000).text


def math(inside: str) -> str:
    return p(f"<m:oMath>{inside}</m:oMath>")


def m(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


BOX = f"<w:txbxContent>{p(r('BOX'))}</w:txbxContent>"
DRAWN_BOX = (
    "<w:drawing><wp:inline><a:graphic><a:graphicData><wps:wsp><wps:txbx>"
    f"{BOX}</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing>"
)
OLD_BOX = f"<w:pict><v:shape><v:textbox>{BOX}</v:textbox></v:shape></w:pict>"


def cell(*blocks: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{''.join(blocks)}</w:tc>"


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


def content(inside: str) -> str:
    return f"<w:sdt><w:sdtPr/><w:sdtContent>{inside}</w:sdtContent></w:sdt>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        # text boxes, once
        (p(r("a "), f"<w:r>{OLD_BOX}</w:r>", r("b")), "a b\nBOX"),
        (p(f"<w:r>{DRAWN_BOX}</w:r>", r("b")), "b\nBOX"),
        (
            p(
                "<w:r><mc:AlternateContent>"
                f'<mc:Choice Requires="wps">{DRAWN_BOX}</mc:Choice>'
                f"<mc:Fallback>{OLD_BOX}</mc:Fallback></mc:AlternateContent></w:r>"
            ),
            "\nBOX".strip(),
        ),
        (p('<w:r><w:pict><v:textpath string="DRAFT"/></w:pict></w:r>', r("b")), "b\nDRAFT"),
        (table(cell(p(f"<w:r>{OLD_BOX}</w:r>", r("in")))), "in BOX"),
        # content controls: blocks, words, cells, rows, one in another
        (content(p(r("IN")) + table(cell(p(r("cell"))))) + p(r("after")), "IN\ncell\nafter"),
        (p(r("Name: "), content(r("ADA")), r("!")), "Name: ADA!"),
        (content(content(content(p(content(r("DEEP")))))), "DEEP"),
        (table(content(cell(p(r("A")))) + cell(p(r("B")))), "A | B"),
        ("<w:tbl>" + content(f"<w:tr>{cell(p(r('ROW')))}</w:tr>") + "</w:tbl>", "ROW"),
        # changes that are tracked
        (
            p(r("was "), "<w:del><w:r><w:delText>1</w:delText></w:r></w:del>")
            + p(f"<w:ins>{r('2')}</w:ins>"),
            "was \n2",
        ),
        (p(f"<w:moveFrom>{r('OLD')}</w:moveFrom><w:moveTo>{r('NEW')}</w:moveTo>"), "NEW"),
        (
            (
                "<w:tbl><w:tr><w:trPr><w:del/></w:trPr>"
                f"{cell(p(r('gone')))}</w:tr><w:tr>{cell(p(r('kept')))}</w:tr></w:tbl>"
            ),
            "kept",
        ),
        # fields, links and other wrappers
        (
            p(
                '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
                "<w:r><w:instrText>PAGE</w:instrText></w:r>"
                '<w:r><w:fldChar w:fldCharType="separate"/></w:r>',
                r("7"),
                '<w:r><w:fldChar w:fldCharType="end"/></w:r>',
            ),
            "7",
        ),
        (p(f'<w:fldSimple w:instr="DATE">{r("today")}</w:fldSimple>'), "today"),
        (p(f'<w:hyperlink w:anchor="x">{r("link")}</w:hyperlink>'), "link"),
        (
            p(f"<w:smartTag>{r('a')}</w:smartTag><w:bdo>{r('b')}</w:bdo><w:dir>{r('c')}</w:dir>"),
            "abc",
        ),
        (p(f"<w:customXml>{r('x')}</w:customXml>", f"<w:unheardOf>{r('y')}</w:unheardOf>"), "xy"),
        (
            p(
                '<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:checkBox><w:checked/>'
                "</w:checkBox></w:ffData></w:fldChar></w:r>",
                r(" yes"),
            ),
            "☒ yes",
        ),
        # signs
        (p("<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r>"), "a\tb\nc"),
        (p("<w:r><w:t>a</w:t><w:noBreakHyphen/><w:t>b</w:t><w:softHyphen/></w:r>"), "a-b"),
        (p('<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>'), "✓"),
        (p('<w:r><w:sym w:font="Symbol" w:char="F061"/></w:r>'), "α"),
        (p('<w:r><w:rPr><w:rFonts w:ascii="Symbol"/></w:rPr><w:t>\uf0b3</w:t></w:r>'), "≥"),
        (
            p(
                f"<w:r><w:ruby><w:rt>{r('kan')}</w:rt><w:rubyBase>{r('漢')}</w:rubyBase></w:ruby></w:r>"
            ),
            "漢(kan)",
        ),
        (p("<w:r><w:rPr><w:vanish/></w:rPr><w:t>HIDDEN</w:t></w:r>", r("seen")), "seen"),
        # tables
        (
            table(
                cell(
                    p(r("out")),
                    table(cell(p(r("1"))) + cell(p(r("2")), table(cell(p(r("3")))))),
                    p(r("after")),
                )
            ),
            "out [1 | 2 [3]] after",
        ),
        (table(cell(p(r("a")), p(r("b"))) + cell(p(r("c")))), "a b | c"),
        (
            table(
                cell(p(r("wide")), properties='<w:gridSpan w:val="2"/>') + cell(p(r("x"))),
                cell(p(r("1"))) + cell(p(r("2"))) + cell(p(), properties="<w:vMerge/>"),
            ),
            "wide |  | x\n1 | 2 | ",
        ),
    ],
)
def test_what_a_person_sees_is_read(body: str, text: str) -> None:
    assert read(body) == text


@pytest.mark.parametrize(
    ("inside", "latex"),
    [
        (m("2x+3=10"), "2x+3=10"),
        (f"<m:f><m:num>{m('a')}</m:num><m:den>{m('2b')}</m:den></m:f>", r"\frac{a}{2b}"),
        (f"<m:rad><m:radPr><m:degHide/></m:radPr><m:deg/><m:e>{m('x')}</m:e></m:rad>", r"\sqrt{x}"),
        (f"<m:rad><m:deg>{m('3')}</m:deg><m:e>{m('8')}</m:e></m:rad>", r"\sqrt[3]{8}"),
        (f"<m:sSup><m:e>{m('x')}</m:e><m:sup>{m('2')}</m:sup></m:sSup>", "x^{2}"),
        (
            f"<m:sSubSup><m:e>{m('x')}</m:e><m:sub>{m('i')}</m:sub><m:sup>{m('2')}</m:sup></m:sSubSup>",
            "x_{i}^{2}",
        ),
        (
            (
                f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{m("i=1")}</m:sub>'
                f"<m:sup>{m('n')}</m:sup><m:e>{m('i')}</m:e></m:nary>"
            ),
            r"\sum_{i=1}^{n} i",
        ),
        (f"<m:nary><m:sub/><m:sup/><m:e>{m('f')}</m:e></m:nary>", r"\int f"),
        (
            (
                '<m:d><m:dPr><m:begChr m:val="["/><m:endChr m:val="]"/></m:dPr><m:e><m:m>'
                f"<m:mr><m:e>{m('1')}</m:e><m:e>{m('2')}</m:e></m:mr>"
                f"<m:mr><m:e>{m('3')}</m:e><m:e>{m('4')}</m:e></m:mr></m:m></m:e></m:d>"
            ),
            r"\begin{bmatrix}1 & 2 \\ 3 & 4\end{bmatrix}",
        ),
        (
            (
                '<m:d><m:dPr><m:begChr m:val="{"/><m:endChr m:val=""/></m:dPr><m:e><m:eqArr>'
                f"<m:e>{m('a')}</m:e><m:e>{m('b')}</m:e></m:eqArr></m:e></m:d>"
            ),
            r"\begin{cases}a \\ b\end{cases}",
        ),
        (f"<m:d><m:e>{m('x')}</m:e><m:e>{m('y')}</m:e></m:d>", "(x|y)"),
        (
            (
                f"<m:func><m:fName><m:limLow><m:e>{m('lim')}</m:e><m:lim>{m('x→0')}</m:lim></m:limLow>"
                f"</m:fName><m:e>{m('x')}</m:e></m:func>"
            ),
            r"\lim_{x\to 0} x",
        ),
        (f"<m:func><m:fName>{m('sin')}</m:fName><m:e>{m('x')}</m:e></m:func>", r"\sin x"),
        (f'<m:acc><m:accPr><m:chr m:val="⃗"/></m:accPr><m:e>{m("v")}</m:e></m:acc>', r"\vec{v}"),
        (f"<m:borderBox><m:e>{m('7')}</m:e></m:borderBox>", r"\boxed{7}"),
        (f"<m:unheardOf><m:e>{m('kept')}</m:e></m:unheardOf>", "kept"),
        (m("α≤∞"), r"\alpha \le \infty"),
        (f"{m('a')}</m:oMath><m:oMath>{m('b')}", "a$ $b"),
    ],
)
def test_equations_are_latex(inside: str, latex: str) -> None:
    assert read(math(inside)) == f"${latex}$"


def test_an_equation_stands_in_its_sentence() -> None:
    body = p(r("Solve "), f"<m:oMath>{m('x=1')}</m:oMath>", r(" now"))
    assert read(body) == "Solve $x=1$ now"


def test_what_stands_around_the_text() -> None:
    """Headers first, then the body, notes and comments where they are pointed to, footers last."""
    body = (
        p(r("body"), '<w:r><w:footnoteReference w:id="2"/></w:r>')
        + p(r("more"), '<w:r><w:endnoteReference w:id="3"/><w:commentReference w:id="0"/></w:r>')
        + '<w:sectPr><w:headerReference w:type="default" r:id="header1"/>'
        '<w:headerReference w:type="first" r:id="header2"/>'
        '<w:footerReference w:type="default" r:id="footer1"/></w:sectPr>'
    )
    text = read(
        body,
        header1=f"hdr:{p(r('HEAD'))}",
        header2=f"hdr:{p(r('FIRST PAGE ONLY'))}",
        footer1=f"ftr:{p(r('FOOT'))}",
        footnotes='footnotes:<w:footnote w:id="0"><w:p/></w:footnote>'
        f'<w:footnote w:id="2">{p(r("below"))}</w:footnote>',
        endnotes=f'endnotes:<w:endnote w:id="3">{p(r("at the end"))}</w:endnote>',
        comments=f'comments:<w:comment w:id="0" w:author="Ada">{p(r("why?"))}</w:comment>',
    )
    assert text.split("\n") == [
        "[header] HEAD",
        "body[note 1]",
        "more[endnote 1][comment 1]",
        "[note 1]: below",
        "[endnote 1]: at the end",
        "[comment 1] (Ada): why?",
        "[footer] FOOT",
    ]


def _level(depth: int, kind: str, text: str) -> str:
    return (
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


def test_lists_have_their_numbers() -> None:
    levels = (
        _level(0, "decimal", "%1.") + _level(1, "lowerLetter", "%1.%2)") + _level(2, "bullet", "")
    )
    numbering = (
        f'numbering:<w:abstractNum w:abstractNumId="5">{levels}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="5"/></w:num>'
    )

    def item(depth: int, text: str) -> str:
        numbered = f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="1"/></w:numPr>'
        return p(f"<w:pPr>{numbered}</w:pPr>", r(text))

    body = item(0, "a") + item(1, "b") + item(1, "c") + item(2, "d") + item(0, "e") + item(1, "f")
    expected = "1. a\n  1.a) b\n  1.b) c\n    • d\n2. e\n  2.a) f"
    assert read(body, numbering=numbering) == expected


def test_lists_by_their_style_and_lists_that_begin_anew() -> None:
    numbering = (
        f'numbering:<w:abstractNum w:abstractNumId="5">{_level(0, "upperRoman", "%1)")}'
        '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="5"/></w:num>'
        '<w:num w:numId="2"><w:abstractNumId w:val="5"/><w:lvlOverride w:ilvl="0">'
        '<w:startOverride w:val="4"/></w:lvlOverride></w:num>'
    )
    styles = (
        'styles:<w:style w:styleId="A"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
        '</w:style><w:style w:styleId="B"><w:basedOn w:val="A"/></w:style>'
        '<w:style w:styleId="loop"><w:basedOn w:val="loop"/></w:style>'
    )
    anew = '<w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="2"/></w:numPr></w:pPr>'
    body = "".join(p(f'<w:pPr><w:pStyle w:val="{name}"/></w:pPr>', r(name)) for name in "AB")
    body += p(anew, r("four")) + p(anew, r("five"))
    expected = "I) A\nII) B\nIV) four\nV) five"
    assert read(body, numbering=numbering, styles=styles) == expected


async def test_what_is_no_text_is_named() -> None:
    def drawing(kind: str) -> str:
        uri = f"http://schemas.openxmlformats.org/drawingml/2006/{kind}"
        return (
            '<w:r><w:drawing><wp:inline><wp:docPr id="1" descr="a cat"/><a:graphic>'
            f'<a:graphicData uri="{uri}"/></a:graphic></wp:inline></w:drawing></w:r>'
        )

    embedded = "<w:r><w:object><o:OLEObject/></w:object></w:r>"
    body = p(r("text"), *map(drawing, ("picture", "chart", "diagram")), embedded)
    found = await FileReader().read(word_of(body), max_chars=1_000)
    assert isinstance(found, Text)
    assert found.skipped == ("charts", "diagrams", "objects", "pictures")
    assert found.text == "text[picture: a cat][chart: a cat][diagram: a cat][object]"
    only = await FileReader().read(word_of(p(embedded)), max_chars=1_000)
    assert only == Skipped("no-text")


def test_a_document_of_the_strict_format() -> None:
    strict = "http://purl.oclc.org/ooxml/wordprocessingml/main"
    usual = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    data = word_of(p(r("strict")))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(usual.encode(), strict.encode()))
    assert read_word(out.getvalue(), 100).text == "strict"


def test_long_documents_are_cut() -> None:
    found = read_word(word_of(p(r("x" * 30)) * 100), 100)
    assert (len(found.text), found.cut) == (100, True)


_SPAN = '<w:gridSpan w:val="3000000"/>'


def tens(entity: str) -> str:
    return f"&{entity};" * 10


_LETTERS = "abcdefghij"
_LAUGHS = '<!DOCTYPE d [<!ENTITY a "lol">'
for one, ten in pairwise(_LETTERS):
    _LAUGHS += f'<!ENTITY {ten} "{tens(one)}">'
_LAUGHS += "]>"
HOSTILE = {
    "a cell over 3,000,000 columns": word_of(table(cell(p(r("x" * 100)), properties=_SPAN))),
    "10,000 of them": word_of(table(cell(p(r("x")), properties=_SPAN) * 10_000)),
    "merged downwards": word_of(table(*[cell(p(), properties="<w:vMerge/>")] * 20_000)),
    "tables in tables": word_of("<w:tbl><w:tr><w:tc>" * 5_000 + "</w:tc></w:tr></w:tbl>" * 5_000),
    "deep": word_of("<w:p>" * 100_000 + "</w:p>" * 100_000),
    "deep controls": word_of("<w:sdt><w:sdtContent>" * 120 + "</w:sdtContent></w:sdt>" * 120),
    "empty paragraphs": word_of("<w:p/>" * 2_000_000),
    "entities": word_of(p(r("&j;")), head=_LAUGHS),
    "notes": word_of(p(*(f'<w:r><w:footnoteReference w:id="{i}"/></w:r>' for i in range(50_000)))),
    "levels": word_of(
        "".join(
            p(
                f'<w:pPr><w:numPr><w:ilvl w:val="{i}"/><w:numId w:val="1"/></w:numPr></w:pPr>',
                r("x"),
            )
            for i in range(20_000)
        ),
        {"numbering": "numbering:<w:num w:numId='1'><w:abstractNumId w:val='1'/></w:num>"},
    ),
    "sections": word_of(
        p('<w:pPr><w:sectPr><w:headerReference r:id="header1"/></w:sectPr></w:pPr>') * 20_000,
        {"header1": f"hdr:{p(r('head' * 10_000))}"},
    ),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=list(HOSTILE))
def test_the_work_is_bounded_whatever_the_file_says(data: bytes) -> None:
    """Within a fifth of a second, where one took 8.7 s; the bound is many times that."""
    started = time.process_time()
    try:
        found = read_word(data, 10_000)
    except UnreadableWord:
        found = None
    assert time.process_time() - started < 15
    assert found is None or len(found.text) <= 10_000


def test_entities_are_not_followed() -> None:
    head = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    try:
        text = read_word(word_of(p(r("a&x;b")), head=head), 1_000).text
    except UnreadableWord:
        text = ""
    assert "root" not in text


def test_a_part_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word, "MAX_UNPACKED", 1_000_000)
    with pytest.raises(UnreadableWord, match="bomb"):
        read_word(making.word_bomb(2 << 20), 100)

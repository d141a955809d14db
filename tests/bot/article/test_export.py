"""The archive that is downloaded."""

from zipfile import ZipFile

import pytest

from bot.article.export import export_zip, file_name, markdown_to_html
from bot.notices import QuestionRefused
from jobqueue.article import Article, ArticleFigure, ImageRequest, ImageSlot, NoImageReason, Section
from tests.bot.article.test_layout import PICTURE

CAVE = ArticleFigure(
    picture=PICTURE, caption="A <cave>", alt="[rock]", author="Ada", source="https://example.org/c"
)
ROOM = 10_000_000  # bytes
ARTICLE = Article(
    title="Caves & more/../",
    language="zh-CN",
    sections=(
        Section(heading="", text="It <b>begins</b>. ![x](http://e.org/x.png) [j](javascript:a)"),
        Section(
            heading="Rock",
            text="| a | b |\n|---|---|\n| 1 | 2 |\n\nSo $x^2 < 4$.",
            slots=(
                ImageSlot(need=ImageRequest(caption="a cave"), figure=CAVE),
                ImageSlot(need=ImageRequest(caption="a gate"), why=NoImageReason.NOTHING),
            ),
        ),
    ),
)
FILES = ["article.html", "article.md", "pictures/1-A-cave.png"]


def test_the_archive_has_markdown_with_pictures_and_a_page_by_itself() -> None:
    packed = export_zip(ARTICLE, {PICTURE.sha256: b"png"}, ROOM)
    assert packed.name == "Caves-more.zip"
    with ZipFile(packed.stream) as archive:
        assert archive.namelist() == FILES
        text, page = (archive.read(name).decode() for name in ("article.md", "article.html"))
    assert "![\\[rock\\]](<pictures/1-A-cave.png>)\n\n*A <cave>*\n\n© Ada" in text
    assert "a gate" not in text
    assert '<html lang="zh-CN">' in page
    assert '<img src="data:image/png;base64,cG5n" alt="[rock]">' in page
    assert "A &lt;cave&gt;" in page
    assert "&lt;b&gt;" in page
    assert "javascript:" not in page.replace("(javascript:a)", "")
    assert page.count("<img") == 1  # nothing is fetched
    assert "<table>" in page
    assert "<mo>&lt;</mo>" in page


def test_a_picture_that_is_gone_is_told_by_its_caption() -> None:
    with ZipFile(export_zip(ARTICLE, {PICTURE.sha256: None}, ROOM).stream) as archive:
        assert archive.namelist() == FILES[:2]
        assert "<img" not in archive.read("article.html").decode()
        assert "![" not in archive.read("article.md").decode().replace("![x]", "")


def test_what_is_too_large_goes_without_separate_pictures_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = bytes(range(256)) * 16
    with ZipFile(export_zip(ARTICLE, {PICTURE.sha256: noise}, 6_500).stream) as archive:
        assert archive.namelist() == FILES[:2]
    with pytest.raises(QuestionRefused):
        export_zip(ARTICLE, {PICTURE.sha256: noise}, 100)


@pytest.mark.parametrize(
    "latex",
    [r"\text{<script>alert(1)</script>}", r"\href{javascript:x}{y}", r"\frac", r"\style{a}{b}"],
)
def test_a_formula_never_becomes_more_than_mathematics(latex: str) -> None:
    page = markdown_to_html(f"So $${latex}$$ it is")
    assert "<script" not in page
    assert "href" not in page.replace(r"\href", "")


@pytest.mark.parametrize(
    ("text", "mathml"),
    [
        (r"$\$120 \times 2$", "<mi>$</mi><mn>120</mn><mo>×</mo><mn>2</mn>"),
        (r"$\text{costs \$5}$", "<mtext>costs\xa0$5</mtext>"),
        ("> $$\n> x = 5\n> $$", "<mi>x</mi><mo>=</mo><mn>5</mn>"),
        (
            r"$$\begin{aligned}[x,p] &= 1\\[2pt] [y] &= 2\end{aligned}$$",
            '<mtd columnalign="right"><mrow /><mo stretchy="false">[</mo><mi>y</mi>',
        ),
        (
            r"$$\begin{gathered} a \\*[1mm] [1,2] \end{gathered}$$",
            '<mtr><mtd><mrow /><mo stretchy="false">[</mo><mn>1</mn>',
        ),
    ],
)
def test_a_formula_of_a_page_is_the_one_that_was_written(text: str, mathml: str) -> None:
    assert mathml in markdown_to_html(text)


def test_names_of_files_are_harmless_in_every_language() -> None:
    assert file_name("../洛阳：十三朝 古都") == "洛阳-十三朝-古都"
    assert file_name("***") == "article"

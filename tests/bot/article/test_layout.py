"""An article in messages: within Discord's limits, nothing lost, each figure where it belongs."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from bot.article.message_layout import (
    ArticleView,
    FigureView,
    SectionView,
    figure_caption,
    section_markdown,
)
from bot.render.components_layout import MOST_FILES, MOST_PARTS, MOST_UNITS
from bot.render.message_view import MessageView
from bot.render.split import MESSAGE_UNITS, units
from bot.render.svg_to_png import RenderedImage
from jobqueue.article import ArticleFigure, Section
from jobqueue.schema import Attachment

PICTURE = Attachment(sha256="0" * 64, name="x.png", media_type="image/png", size=1)

words = st.text(alphabet="ab 。字\n*", min_size=1).filter(str.strip)
texts = st.one_of(words, st.builds(lambda w, n: w * n, words, st.integers(1, 900)))
shots = st.builds(
    lambda n, there: FigureView(
        f"-# caption {n}", RenderedImage(f"{n}.png", b"x", "y") if there else None
    ),
    st.integers(0, 99),
    st.booleans(),
)
chapters = st.builds(
    SectionView, st.lists(texts, max_size=2).map(tuple), st.lists(shots, max_size=14).map(tuple)
)
spreads = st.builds(ArticleView, st.lists(chapters, min_size=1, max_size=6).map(tuple))


def shown(view: MessageView) -> Iterator[str | RenderedImage]:
    """Its texts and pictures in the order in which they are seen."""
    if view.layout:
        yield from (part for part in view.layout.parts if isinstance(part, str | RenderedImage))
    yield from filter(None, (view.content, view.picture))


def letters(parts: Iterator[str | RenderedImage]) -> str:
    """What is read, without what a cut adds or takes: white space and marks."""
    said = "".join(part for part in parts if isinstance(part, str))
    return "".join(character for character in said if character in "ab字。caption0123456789")


def expected(spread: ArticleView) -> str:
    return letters(
        part
        for chapter in spread.sections
        for part in (*chapter.blocks, *(shot.caption for shot in chapter.figures))
    )


@given(spreads)
def test_messages_of_components_keep_the_limits_and_all_that_is_said(spread: ArticleView) -> None:
    views = spread.messages(laid_out=True)
    for view in views:
        assert view.layout
        assert view.layout.parts
        assert len(view.layout.parts) <= MOST_PARTS
        assert view.layout.units <= MOST_UNITS
        assert len(view.layout.pictures) <= MOST_FILES
    assert letters(part for view in views for part in shown(view)) == expected(spread)
    pictures = [shot.image for chapter in spread.sections for shot in chapter.figures]
    assert [picture for view in views if view.layout for picture in view.layout.pictures] == [
        picture for picture in pictures if picture
    ]


@given(spreads)
def test_plain_messages_keep_the_limits_and_all_that_is_said(spread: ArticleView) -> None:
    views = spread.messages(laid_out=False)
    assert all(units(view.content) <= MESSAGE_UNITS for view in views)
    assert letters(part for view in views for part in shown(view)) == expected(spread)
    pictures = [shot.image for chapter in spread.sections for shot in chapter.figures]
    assert [view.picture for view in views if view.picture] == list(filter(None, pictures))


@given(spreads)
def test_without_files_captions_stay(spread: ArticleView) -> None:
    views = [view.without_files() for view in spread.messages(laid_out=True)]
    assert not any(view.has_files for view in views)
    assert letters(part for view in views for part in shown(view)) == expected(spread)


def test_a_figure_stays_with_the_text_above_it() -> None:
    figure = RenderedImage("f.png", b"x", "")
    full = SectionView(("a" * 3_000,))
    spread = ArticleView((full, SectionView(("b" * 1_000,), (FigureView("-# under it", figure),))))
    _, second = spread.messages(laid_out=True)
    assert second.layout
    assert second.layout.parts == ("b" * 1_000, figure, "-# under it")


def test_credits_are_small_print_in_which_nothing_is_markup() -> None:
    figure = ArticleFigure(
        picture=PICTURE,
        caption="**A** cave\n# x",
        author="Ada_L",
        licence="CC BY 4.0",
        source="https://example.org/File:Cave.jpg",
    )
    assert figure_caption(figure) == (
        r"-# *\*\*A\*\* cave \# x*" + "\n"
        r"-# © Ada\_L · CC BY 4.0 · [example.org](<https://example.org/File:Cave.jpg>)"
    )
    forged = ArticleFigure(picture=PICTURE, caption="", source="https://good.example@evil.example/")
    assert "](" not in figure_caption(forged)


def test_the_title_stands_above_the_opening() -> None:
    opening = Section(heading="", text="It begins.")
    assert section_markdown(opening, "A\ntitle") == "# A title\nIt begins."
    assert section_markdown(Section(heading="Then", text="It goes on.")) == "## Then\nIt goes on."

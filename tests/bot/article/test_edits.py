"""Edits by hand, and their states."""

from msgspec.structs import replace

from bot.article import edits
from bot.article.article_store import MOST_STATES, ArticleRecord
from jobqueue.article import Article, ArticleFigure, ImageRequest, ImageSlot, NoImageReason, Section
from tests.bot.article.test_layout import PICTURE

CAVE, BRIDGE, GATE = (
    ArticleFigure(picture=PICTURE, caption=name) for name in ("cave", "bridge", "gate")
)
SLOT = ImageSlot(need=ImageRequest(caption="a cave"), figure=CAVE, candidates=(BRIDGE, GATE))
ARTICLE = Article(
    title="Luoyang",
    sections=(
        Section(heading="", text="It begins."),
        Section(heading="Caves", text="Cut.", slots=(SLOT,)),
        Section(heading="Flowers", text="Grown."),
    ),
)


def slot(article: Article) -> ImageSlot:
    return article.sections[1].slots[0]


def test_a_chosen_picture_changes_places_with_the_one_that_was_there() -> None:
    chosen = slot(edits.choose_picture(ARTICLE, 1, 0, 1))
    assert (chosen.figure, chosen.candidates) == (GATE, (CAVE, BRIDGE))


def test_a_picture_that_is_taken_away_can_be_chosen_again() -> None:
    emptied = edits.remove_picture(ARTICLE, 1, 0)
    assert (slot(emptied).figure, slot(emptied).why) == (None, NoImageReason.REMOVED)
    assert edits.list_empty_slots(emptied) == [(emptied.sections[1], slot(emptied))]
    again = slot(edits.choose_picture(emptied, 1, 0, 0))
    assert (again.figure, again.why, again.candidates) == (CAVE, None, (BRIDGE, GATE))


def test_sections_move_below_the_opening() -> None:
    down = edits.move_section(ARTICLE, 1, +1)
    assert [section.heading for section in down.sections] == ["", "Flowers", "Caves"]
    assert edits.move_section(down, 2, -1) == ARTICLE
    for at, step in ((0, +1), (1, -1), (2, +1)):
        assert edits.move_section(ARTICLE, at, step) == ARTICLE


def test_words_change_and_the_opening_has_no_heading() -> None:
    assert edits.replace_text(ARTICLE, 0, "x", "Anew.").sections[0] == Section(
        heading="", text="Anew."
    )
    assert edits.replace_text(ARTICLE, 2, "", "Anew.").sections[2].heading == "Flowers"


def test_states_are_undone_one_by_one_and_are_not_kept_for_ever() -> None:
    record = ArticleRecord((ARTICLE,))
    assert record.with_article(ARTICLE) == record == record.without_newest()
    other = replace(ARTICLE, title="Other")
    assert record.with_article(other).without_newest() == record
    for number in range(MOST_STATES + 5):
        record = record.with_article(replace(ARTICLE, title=str(number)))
    assert len(record.states) == MOST_STATES
    assert record.without_newest().article.title == str(MOST_STATES + 3)

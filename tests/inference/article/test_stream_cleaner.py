"""What of a model's text reaches an article."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.article.prompts import Language
from inference.article.source import SourceText
from inference.article.stream_cleaner import SentenceMemory, StreamCleaner, pieces


def cleaned(
    *chunks: str, cut: bool = False, said: SentenceMemory | None = None, **options: object
) -> str:
    chosen: dict[str, object] = {
        "paragraphs": 9,
        "characters": 900,
        "is_supported": lambda _: True,
    } | options
    cleaner = StreamCleaner(frozenset({"The Caves"}), said or SentenceMemory(), **chosen)  # type: ignore[arg-type]
    for chunk in chunks:
        cleaner.feed(chunk)
        if cleaner.is_full:
            return cleaner.text
    cleaner.finish(cut=cut)
    return cleaner.text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Sure! Here is the text:\n\nMonks cut the caves.", "Monks cut the caves."),
        ("## The Caves\n\nMonks cut the caves.", "Monks cut the caves."),
        ("**The Caves**\nMonks cut the caves.", "Monks cut the caves."),
        ("The Caves\n\nMonks cut the caves.", "Monks cut the caves."),
        ("Title: The Caves\nMonks cut the caves.", "Monks cut the caves."),
        ("Section: Monks cut the caves.", "Monks cut the caves."),
        ('Here\'s a paragraph:\n\n"Monks cut them. All saw."', "Monks cut them. All saw."),
        ('"Monks cut the caves."', "Monks cut the caves."),
        ('Monks said "all is one." All saw it.', None),
        ("In an essay, I will describe caves. Monks cut them.", "Monks cut them."),
        ("Monks cut the caves. I hope this helps!", "Monks cut the caves."),
        ("In this section, we look at caves. Monks cut them.", "Monks cut them."),
        ("```markdown\nMonks cut the caves.\n```", "Monks cut the caves."),
        ("当然，以下是正文：\n\n龙门石窟在洛阳城南。", "龙门石窟在洛阳城南。"),
        ("标题：龙门石窟\n石窟在洛阳城南。希望这对您有帮助。", "石窟在洛阳城南。"),
        ("ผู้คนในเมืองเก่าแห่งนี้ปลูกชามาหลายร้อยปีแล้ว " * 3 + "และยังดื่มทุกวัน", None),
        ("Dr. Smith came in the U.S. by ship.", "Dr. Smith came in the U.S. by ship."),
        ("It has:\n\n- one cave\n- two caves", "It has:\n\n- one cave\n- two caves"),
        ("Run this:\n\n```python\nprint(1)\n\nprint(2)\n```", None),
        ("It holds that\n\n$$\na = b\n$$\n\nfor all.", "$$\na = b\n$$\n\nfor all."),
    ],
)
def test_what_is_no_text_of_the_article_is_left_out(written: str, kept: str | None) -> None:
    assert cleaned(written) == (written if kept is None else kept)
    assert cleaned(*written) == cleaned(written), "however it is cut into pieces"


def test_what_breaks_off_ends_with_its_last_whole_sentence() -> None:
    assert cleaned("One is whole. The other is no", cut=True) == "One is whole."
    assert cleaned("One is whole. These are three:\n\n1. ", cut=True) == "One is whole."
    assert cleaned("Une est entière. " + "L'été, une autre " * 9, cut=True) == "Une est entière."
    assert cleaned("一句完整。另一句没有写", cut=True) == "一句完整。"


def test_nothing_is_said_twice_in_an_article() -> None:
    said = SentenceMemory()
    assert cleaned("The caves are near the river Yi, south of the city.", said=said)
    again = "New is this. The caves are near the river Yi, to the south of the city."
    assert cleaned(again, said=said) == "New is this."


def test_a_model_that_turns_in_circles_is_stopped() -> None:
    circle = "The grottoes are known for their beauty in the whole country. " * 50
    cleaner = StreamCleaner(
        frozenset(), SentenceMemory(), paragraphs=3, characters=900, is_supported=lambda _: True
    )
    taken = 0
    for word in circle.split(" "):
        taken += 1
        cleaner.feed(f"{word} ")
        if cleaner.is_full:
            break
    assert taken < len(circle.split(" ")) // 5
    assert cleaner.text.count("grottoes") == 1


def test_as_much_as_is_wanted() -> None:
    steps = "It has steps:\n\n1. **One**: grind.\n\n2. **Two**: bake."
    assert (
        cleaned(f"{steps}\n\nThat is all.\n\nOr not.", paragraphs=1) == f"{steps}\n\nThat is all."
    )
    assert cleaned("One is here. Two is here. Three is here.", characters=15).count(".") == 2
    assert (
        cleaned("One is here.\n\nTwo is here.\n\nThree is here.", paragraphs=2).count("\n\n") == 1
    )


def test_numbers_and_names_that_were_not_given_are_not_told() -> None:
    source = SourceText("tea", "In 1998 it was 40 tonnes, grown in the hills of China.")
    text = (
        "In 1998 it was 40 tonnes. In 1999 it was 77 tonnes. It has 3 gates. "
        "Some went to Vietnam. Farmers drink Chinese tea."
    )
    told = "In 1998 it was 40 tonnes. It has 3 gates. Farmers drink Chinese tea."
    assert cleaned(text, is_supported=partial(source.supports, language=Language("en-US"))) == told
    german = "In Vietnam trinkt man ihn am Morgen."
    assert cleaned(german, is_supported=partial(source.supports, language=Language("de"))) == german


@given(st.text(alphabet="aB. \n!?。:`$-#1", max_size=60), st.data())
def test_pieces_are_the_text_and_end_where_they_end_in_it(text: str, data: st.DataObject) -> None:
    whole = list(pieces(text, ended=True))
    assert "".join(piece.text + piece.space for piece in whole) == text
    at = data.draw(st.integers(0, len(text)))
    early = list(pieces(text[:at], ended=False))
    assert early == whole[: len(early)]

"""What a picture has to show is held against the text that it stands beside."""

from inference.article.image_requests import heading_need, parse_needs, says, spread
from jobqueue.article import ImageKind, ImageRequest

TEXT = "South of Luoyang, monks cut the Longmen Grottoes into the cliffs above the river Yi."


def read(said: str, heading: str = "The caves", text: str = TEXT) -> list[ImageRequest]:
    return list(parse_needs(said, heading, text))


def test_a_need_is_what_the_text_speaks_of() -> None:
    assert read("Cliffs with the Longmen Grottoes | Longmen Grottoes, Luoyang | photo") == [
        ImageRequest(
            caption="Cliffs with the Longmen Grottoes",
            entities=("Longmen Grottoes", "Luoyang"),
            kind=ImageKind.PHOTO,
        )
    ]


def test_an_example_that_is_repeated_is_no_need() -> None:
    assert read("Neuschwanstein on its rock | Neuschwanstein, Hohenschwangau | photo") == []


def test_names_that_the_text_does_not_say_are_dropped() -> None:
    (need,) = read("The Longmen Grottoes | Longmen Grottoes, Yungang, Datong | photo")
    assert need.entities == ("Longmen Grottoes",)
    assert read("The cliffs of Kaifeng above the river | - | photo") == [], (
        "not in a caption either"
    )


def test_a_name_in_the_caption_is_what_it_is_about() -> None:
    (need,) = read("Cliffs above the river at Luoyang | none |")
    assert (need.entities, need.kind) == (("Luoyang",), None)


def test_a_chinese_caption_may_be_a_name() -> None:
    text = "龙门石窟在伊河两岸，是历史和文化的见证。"
    (need,) = read("龙门石窟 | 历史、伊河 | 照片", heading="历史", text=text)
    assert need.entities == ("龙门石窟", "历史", "伊河")


def test_a_kind_that_was_repeated_from_the_question_is_none() -> None:
    (need,) = read("The Longmen Grottoes | Longmen Grottoes | photo, map or drawing")
    assert need.kind is None


def test_for_want_of_words_the_heading_is_what_is_wanted_if_the_text_names_it() -> None:
    assert heading_need("Longmen Grottoes at dusk", TEXT) == ImageRequest(
        caption="Longmen Grottoes at dusk", entities=("Longmen Grottoes",)
    )
    assert heading_need("Outlook", TEXT) is None
    assert heading_need("龙门石窟", "龙门石窟在洛阳。") == ImageRequest(
        caption="龙门石窟", entities=("龙门石窟",)
    )
    assert heading_need("展望", "龙门石窟在洛阳。") is None


def test_where_every_noun_has_a_capital_names_are_those_that_are_stated() -> None:
    text = "Die Brücke über den Rhein in Köln trägt viele Schlösser."
    said = "Die Brücke mit vielen Schlössern am Rhein | Köln, Rhein | photo"
    (need,) = parse_needs(said, "", text, names_in=lambda _: [])
    assert need.entities == ("Köln", "Rhein")


def test_names_are_words_of_their_own() -> None:
    assert says("the city of Xi and beyond", "Xi")
    assert not says("Xian is far", "Xi")
    assert says("他到了洛阳城", "洛阳")


def test_pictures_are_spread_over_the_sections() -> None:
    assert spread(5, None) == [0, 1, 2, 3, 4]
    assert spread(5, 2) == [0, 2, 1, 3, 4]
    assert spread(4, 1) == [0, 1, 2, 3]
    assert spread(3, 6) == [0, 1, 2]

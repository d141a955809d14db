"""What a picture is about, against what is needed."""

import pytest

from inference.library.eligibility import Wanted, refusal
from inference.library.image_entry import Entry
from inference.library.normalize import folded, mentioned, same, terms
from inference.library.times import at_odds
from jobqueue.article import Kind, Need

KNOWN = {"luoyang", "洛阳", "kaifeng", "luoyang bridge", "洛阳桥", "li bai"}
LUOYANG = Entry(path="l.png", caption="Map of Luoyang", kind=Kind.MAP, place="Luoyang/洛阳, Henan")
KAIFENG = Entry(
    path="k.png", caption="Map of Kaifeng, east of Luoyang", kind=Kind.MAP, place="Kaifeng, Henan"
)
BRIDGE = Entry(
    path="b.png",
    caption="Luoyang Bridge",
    kind=Kind.PHOTO,
    place="Quanzhou, Fujian",
    entities=("Luoyang Bridge",),
    also=("洛阳桥",),
)
POET = Entry(path="p.png", caption="Li Bai", kind=Kind.PORTRAIT, entities=("Li Bai",))
NOODLES = Entry(path="n.png", caption="A bowl of noodles", kind=Kind.PHOTO)


def passes(entry: Entry, caption: str, *entities: str, kind: Kind | None = None) -> bool:
    wanted = Wanted.of(Need(caption=caption, entities=entities, kind=kind), KNOWN)
    return refusal(wanted, entry, KNOWN) is None


@pytest.mark.parametrize(
    ("entry", "caption", "entities"),
    [
        (LUOYANG, "Map of Luoyang", ("Luoyang",)),
        (LUOYANG, "洛阳市地图", ("洛阳市",)),
        (LUOYANG, "A map", ("LUOYANG City",)),
        (LUOYANG, "Map of Luoyang in Henan", ("Luoyang", "Henan")),
        (BRIDGE, "泉州洛阳桥", ("洛阳桥",)),
        (POET, "Portrait of the poet", ("Li Bai",)),
        (NOODLES, "Noodles", ()),
    ],
)
def test_what_is_named_is_what_it_is_about(
    entry: Entry, caption: str, entities: tuple[str, ...]
) -> None:
    assert passes(entry, caption, *entities)


@pytest.mark.parametrize(
    ("entry", "caption", "entities"),
    [
        (KAIFENG, "Map of Luoyang", ("Luoyang",)),  # it says Luoyang, and is of Kaifeng
        (LUOYANG, "Map of Henan", ("Henan",)),  # of a city in it
        (LUOYANG, "Map of Luoyang and Kaifeng", ("Luoyang", "Kaifeng")),  # of one of two
        (LUOYANG, "The old town of Luoyang", ("Luoyang",)),  # no map was asked for
        (BRIDGE, "A bridge in Luoyang", ("Luoyang",)),
        (BRIDGE, "洛阳的桥", ("洛阳",)),
        (BRIDGE, "A stone bridge", ()),  # would be taken for one of the article's place
        (POET, "Portrait of Du Fu", ("Du Fu",)),
        (POET, "A map", ("Li Bai",)),
        (LUOYANG, "A map", ()),
    ],
)
def test_another_place_person_or_kind_is_refused(
    entry: Entry, caption: str, entities: tuple[str, ...]
) -> None:
    assert not passes(entry, caption, *entities)


def test_a_caption_alone_must_speak_of_nothing_else() -> None:
    plain = Entry(path="a.png", caption="A street of Luoyang", kind=Kind.PHOTO)
    mixed = Entry(path="b.png", caption="The road from Luoyang to Kaifeng", kind=Kind.PHOTO)
    assert passes(plain, "A street in Luoyang", "Luoyang")
    assert not passes(mixed, "A street in Luoyang", "Luoyang")


def test_another_time_is_another_place() -> None:
    assert at_odds("Map of modern Xi'an", "Chang'an in the Tang dynasty, today's Xi'an")
    assert at_odds("唐代长安", "Xi'an in 1998")
    assert not at_odds("Chang'an around 750", "唐代长安地图")
    assert not at_odds("Map of Xi'an", "Chang'an in the Tang dynasty")


def test_spellings_of_a_name_are_one() -> None:
    assert same("Xi’an", "XIAN")
    assert same("Ｌｙｏｎ", "lyon")
    assert same("São Paulo", "Sao Paulo")
    assert not same("Luoyang", "Luoyang Bridge")
    assert folded("St. Stephen's") == "st stephens"
    assert mentioned("到洛阳桥去", ["洛阳", "洛阳桥"]) == {"洛阳桥"}
    assert not mentioned("Asian art", ["Xi'an", "asia"])
    assert list(terms("The maps of 洛阳城")) == ["map", "洛阳", "阳城"]

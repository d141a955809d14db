"""What a picture is about, against what is needed."""

import pytest

from inference.library.eligibility import ImageQuery, name_doubt, refusal
from inference.library.image_entry import ImageEntry
from inference.library.normalize import NameSet, mentioned_names, name_of, terms
from jobqueue.article import ImageKind, ImageRequest

KNOWN = NameSet.of(["luoyang", "洛阳", "kaifeng", "luoyang bridge", "洛阳桥", "li bai"])
LUOYANG = ImageEntry(
    path="l.png", caption="Map of Luoyang", kind=ImageKind.MAP, place="Luoyang/洛阳, Henan"
)
KAIFENG = ImageEntry(
    path="k.png",
    caption="Map of Kaifeng, east of Luoyang",
    kind=ImageKind.MAP,
    place="Kaifeng, Henan",
)
BRIDGE = ImageEntry(
    path="b.png",
    caption="Luoyang Bridge",
    kind=ImageKind.PHOTO,
    place="Quanzhou, Fujian",
    entities=("Luoyang Bridge",),
    also=("洛阳桥",),
)
POET = ImageEntry(path="p.png", caption="Li Bai", kind=ImageKind.PORTRAIT, entities=("Li Bai",))
NOODLES = ImageEntry(path="n.png", caption="A bowl of noodles", kind=ImageKind.PHOTO)


def passes(entry: ImageEntry, caption: str, *entities: str, kind: ImageKind | None = None) -> bool:
    wanted = ImageQuery.from_need(
        ImageRequest(caption=caption, entities=entities, kind=kind), KNOWN
    )
    return refusal(wanted, entry, KNOWN) is None


@pytest.mark.parametrize(
    ("entry", "caption", "entities"),
    [
        (LUOYANG, "Map of Luoyang", ("Luoyang",)),
        (LUOYANG, "洛阳地图", ("洛阳",)),
        (LUOYANG, "A map", ("LUOYANG",)),
        (LUOYANG, "Map of Luoyang in Henan", ("Luoyang", "Henan")),
        (BRIDGE, "泉州洛阳桥", ("洛阳桥",)),
        (POET, "Portrait of the poet", ("Li Bai",)),
        (NOODLES, "Noodles", ()),
    ],
)
def test_what_is_named_is_what_it_is_about(
    entry: ImageEntry, caption: str, entities: tuple[str, ...]
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
    entry: ImageEntry, caption: str, entities: tuple[str, ...]
) -> None:
    assert not passes(entry, caption, *entities)


def test_a_caption_alone_must_speak_of_nothing_else() -> None:
    plain = ImageEntry(path="a.png", caption="A street of Luoyang", kind=ImageKind.PHOTO)
    mixed = ImageEntry(
        path="b.png", caption="The road from Luoyang to Kaifeng", kind=ImageKind.PHOTO
    )
    assert passes(plain, "A street in Luoyang", "Luoyang")
    assert not passes(mixed, "A street in Luoyang", "Luoyang")


XIAN = ImageEntry(
    path="x.png",
    caption="Map of Chang'an in the Tang dynasty, today's Xi'an",
    kind=ImageKind.MAP,
    place="Xi'an/西安, Shaanxi",
    also=("Chang'an", "长安"),
    years=(618, 907),
    period="Tang/唐",
)


@pytest.mark.parametrize(
    ("caption", "name"),
    [
        ("Chang'an around 750", "Chang'an"),
        ("唐代长安地图", "长安"),
        ("Map of Xi'an under the Tang", "Xi'an"),
    ],
)
def test_a_time_that_is_stated_is_the_pictures(caption: str, name: str) -> None:
    query = ImageQuery.from_need(
        ImageRequest(caption=caption, entities=(name,), kind=ImageKind.MAP), KNOWN
    )
    assert refusal(query, XIAN, KNOWN) is None
    assert name_doubt(query, XIAN) is None


@pytest.mark.parametrize(
    "caption", ["Map of Xi'an", "Map of modern Xi'an", "Xi'an in 1998", "Chang'an in 1400"]
)
def test_another_time_is_another_place(caption: str) -> None:
    """An old capital is not shown for today's city, whatever words a language has for either."""
    name = caption.split(maxsplit=1)[0] if caption[0] != "M" else "Xi'an"
    assert not passes(XIAN, caption, name, kind=ImageKind.MAP)


def test_an_old_name_alone_is_a_doubt() -> None:
    need = ImageRequest(caption="Map of Chang'an", entities=("Chang'an",), kind=ImageKind.MAP)
    query = ImageQuery.from_need(need, KNOWN)
    assert refusal(query, XIAN, KNOWN) is None
    assert name_doubt(query, XIAN)


def test_spellings_of_a_name_are_one() -> None:
    assert name_of("Xi’an") == name_of("XIAN")
    assert name_of("Ｌｙｏｎ") == name_of("lyon")
    assert name_of("São Paulo") == name_of("Sao Paulo")
    assert name_of("İstanbul") == name_of("Istanbul")
    assert name_of("Luoyang") != name_of("Luoyang Bridge")
    assert name_of("St. Stephen's") == "st stephens"
    assert mentioned_names("到洛阳桥去", ["洛阳", "洛阳桥"]) == {"洛阳桥"}
    assert mentioned_names("İstanbul'un tarihi", ["Istanbul"]) == {"istanbul"}
    assert mentioned_names("تخت‌جمشید", ["تخت جمشید"])
    assert not mentioned_names("Asian art", ["Xi'an", "asia"])
    assert not mentioned_names("Su Zhou", ["Suzhou"])
    assert list(terms("The maps of 洛阳城")) == ["the", "maps", "of", "洛阳", "阳城"]

"""What is read of a plan, whatever a model makes of its form."""

import pytest

from inference.article.outline import OutlinePart, parse_outline, title_of

PARTS = (OutlinePart("Caves", "the grottoes"), OutlinePart("Flowers", "peonies in spring"))


FORMS = (
    "Title: Old Luoyang\n1. Caves: the grottoes\n2. Flowers: peonies in spring",
    "**Title:** Old Luoyang\n\n1. **Caves**: the grottoes\n2. **Flowers** - peonies in spring",
    "# Old Luoyang\n\n## Caves: the grottoes\n## Flowers: peonies in spring",
    "Title: Old Luoyang\n* Caves – the grottoes\n* Caves: y\n* Flowers: peonies in spring.\n* Q: w",
    "Title: Old Luoyang\n1. Section 1: Caves: the grottoes\n2. Part 2: Flowers: peonies in spring",
    "Sure! A plan:\nTitle: Old Luoyang\n1) Caves: the grottoes\n2) Flowers: peonies in spring",
)


@pytest.mark.parametrize("said", FORMS)
def test_a_plan_is_read_in_many_forms(said: str) -> None:
    outline = parse_outline(said, 2)
    assert (outline.title, outline.parts) == ("Old Luoyang", PARTS)


def test_a_chinese_plan() -> None:
    outline = parse_outline("标题：《千年古都》\n1. 龙门石窟：佛教石刻\n2、牡丹：花会", 2)
    assert outline.title == "千年古都"
    assert outline.parts == (OutlinePart("龙门石窟", "佛教石刻"), OutlinePart("牡丹", "花会"))


def test_what_is_no_plan_has_no_parts() -> None:
    assert parse_outline("I am sorry, I cannot help with this.", 4).parts == ()


@pytest.mark.parametrize(
    ("assignment", "title"),
    [
        ("Write a short article about tea in China", "Tea in China"),
        ("lighthouses", "Lighthouses"),
        ("写一篇关于咖啡的文章", "咖啡"),
        ("请写一篇介绍洛阳的文章。", "洛阳"),
    ],
)
def test_a_title_for_want_of_a_better_one(assignment: str, title: str) -> None:
    assert title_of(assignment) == title

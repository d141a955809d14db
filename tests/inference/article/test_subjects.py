"""Sections get pictures of what they are about, however little a model states."""

from collections import Counter

import pytest

from bench.article.measure import PUBLIC, beside
from inference.article.claims import claims, sentences


async def test_beside_each_text_what_it_is_about_and_nothing_else() -> None:
    """The public set: in passing, negations, comparisons, namesakes, and another section's."""
    outcomes = sum((await beside(PUBLIC)).values(), Counter[str]())
    assert outcomes["wrong"] == 0
    assert outcomes["empty"] >= 60
    assert outcomes["right"] >= 0.8 * (outcomes["right"] + outcomes["missed"]) > 0


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Unlike Xi'an, Luoyang lies on a river.", "Luoyang lies on a river."),
        ("It is older than Xi'an. Luoyang is old.", "Luoyang is old."),
        ("Luoyang is not only old.", "Luoyang is not only old."),
        ("By contrast, Xi'an lies on a plain.", ""),
        ("与西安不同，洛阳临水。", "洛阳临水。"),
        ("佛像很多。洛阳比西安小。", "佛像很多。"),
    ],
)
def test_what_is_only_compared_or_denied_is_no_claim(text: str, left: str) -> None:
    assert claims(text) == left


def test_a_subject_is_told_by_whole_sentences() -> None:
    assert list(sentences("Luoyang is old. Unlike Xi'an, it floods.")) == ["Luoyang is old."]

"""Sections get pictures of what they are about, however little a model states."""

from collections import Counter
from collections.abc import AsyncGenerator

import pytest

from bench.article.measure import PUBLIC, Nowhere, beside
from inference.article.claims import claims, sentences
from inference.article.language import tongue_of
from inference.article.llm_client import Pen
from inference.article.outline import plan
from inference.article.prompts import wording_of
from inference.article.section_images import Pictures, Tools
from inference.article.source import source_of
from inference.engines.base import Chunk, Request
from inference.engines.scripted import ScriptedEngine
from inference.library.image_selector import LibraryIllustrator
from inference.library.shelf import Shelf
from jobqueue.schema import FinishReason
from tests.inference.article.conftest import article_job


@pytest.mark.parametrize("name", ["texts.jsonl", "texts-later.jsonl"])
async def test_beside_each_text_what_it_is_about_and_nothing_else(name: str) -> None:
    """The public sets: in passing, negations, comparisons, namesakes, and another section's."""
    outcomes = sum((await beside(PUBLIC, PUBLIC.parent / name)).values(), Counter[str]())
    assert outcomes["wrong"] == 0
    assert outcomes["empty"] >= 20
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


class Heard(ScriptedEngine):
    """Keeps what it was asked last."""

    asked = ""

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        self.asked = request.messages[-2].content
        yield Chunk("", FinishReason.STOP)


@pytest.mark.parametrize(
    ("topic", "named"),
    [
        (
            "Luoyang",
            "White Horse Temple, Longmen Grottoes, Peonies in bloom in a park of Luoyang",
        ),
        ("洛阳", "白马寺、龙门石窟"),
        ("Luoyang and its industry since 1950, with what became of its workers", ""),
        ("Wuhan", ""),  # its picture is another tower's
        ("Basket weaving", ""),
    ],
)
async def test_a_plan_for_a_bare_topic_may_choose_what_there_are_pictures_of(
    topic: str, named: str
) -> None:
    job, source, heard = article_job(topic), source_of(topic), Heard()
    tongue, pen = tongue_of(job, topic), Pen(job, 1, heard)
    tools = Tools(heard, Nowhere(), LibraryIllustrator(Shelf(PUBLIC), Nowhere()))
    at_hand = await Pictures(job, tools, pen, tongue, source).at_hand()
    assert wording_of(tongue).comma.join(at_hand) == named
    await plan(pen, source, tongue, 2, 1_000, at_hand=at_hand)
    assert named in heard.asked
    assert ("pictures" in heard.asked or "图片" in heard.asked) == bool(named)

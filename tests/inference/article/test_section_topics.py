"""Sections get pictures of what they are about, however little a model states."""

from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bench.article.article_cases import illustrate_cases
from bench.article.measure import PUBLIC, SETS, lay_out
from inference.article.llm_client import LLMClient
from inference.article.outline import create_outline
from inference.article.prompts import language_of, prompts_for
from inference.article.section_images import ArticleTools, SectionImages
from inference.article.source import parse_source
from inference.engines.base import Chunk, Request
from inference.engines.scripted import ScriptedEngine
from inference.library.image_library import LibraryReader
from inference.library.image_selector import ImageSelector, MemoryBlobs
from jobqueue.schema import FinishReason
from tests.inference.article.conftest import article_job


@pytest.mark.parametrize("name", ["texts.jsonl", "texts-later.jsonl"])
async def test_beside_each_text_what_it_is_about_and_nothing_else(name: str) -> None:
    """The public sets: in passing, negations, comparisons, namesakes, and another section's."""
    outcomes = sum((await illustrate_cases(PUBLIC, PUBLIC.parent / name)).values(), Counter[str]())
    assert outcomes["wrong"] == 0
    assert outcomes["empty"] >= 20
    assert outcomes["right"] >= 0.8 * (outcomes["right"] + outcomes["missed"]) > 0


@pytest.mark.parametrize("name", sorted(path.name for path in SETS.iterdir()))
async def test_beside_texts_of_other_countries_scripts_and_times(name: str, tmp_path: Path) -> None:
    library = lay_out(SETS / name, tmp_path)
    cases = await illustrate_cases(library, SETS / name / "texts.jsonl")
    outcomes = sum(cases.values(), Counter[str]())
    assert outcomes["wrong"] == 0
    assert outcomes["right"] >= 0.8 * (outcomes["right"] + outcomes["missed"]) > 0


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
    job, source, heard = article_job(topic), parse_source(topic), Heard()
    language, llm = language_of(job, topic), LLMClient(job, 1, heard)
    blobs = MemoryBlobs()
    blobs = MemoryBlobs()
    tools = ArticleTools(heard, blobs, ImageSelector(LibraryReader(PUBLIC), blobs))
    at_hand = await SectionImages(job, tools, llm, language, source).at_hand()
    assert prompts_for(language).comma.join(at_hand) == named
    await create_outline(llm, source, language, 2, 1_000, at_hand=at_hand)
    assert named in heard.asked
    assert ("pictures" in heard.asked or "图片" in heard.asked) == bool(named)

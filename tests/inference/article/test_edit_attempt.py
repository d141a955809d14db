"""A section is changed, and nothing else of the article."""

import asyncio

import msgspec
import pytest
from redis.asyncio import Redis

from inference.worker import Worker
from jobqueue.article import (
    Article,
    ArticleOrder,
    ArticleStage,
    ImageRequest,
    ImageSlot,
    NoImageReason,
    Rework,
    Section,
    SectionChange,
)
from jobqueue.event_reader import EventReader
from jobqueue.history import History
from jobqueue.queue import JobQueue
from jobqueue.schema import AnyEvent, ArticleProgress, Delta
from tests.inference.article.conftest import NamedImages, Write, article_job, figure, finished

CAVES = (
    "Monks cut the Longmen Grottoes into the cliffs. The river Yi flows between them. "
    "Many statues are small, and some are very large."
)
SLOT = ImageSlot(
    need=ImageRequest(caption="The Longmen Grottoes", entities=("Longmen Grottoes",)),
    figure=figure("a" * 64, "The Longmen Grottoes"),
)
ARTICLE = Article(
    title="Old Luoyang",
    language="en-US",
    sections=(
        Section(heading="", text="Luoyang lies on the river Luo, and was a capital."),
        Section(heading="Caves", text=CAVES, slots=(SLOT,)),
        Section(heading="Flowers", text="In spring the peonies bloom in every park."),
    ),
)


def order(rework: Rework, section: int = 1, **fields: object) -> ArticleOrder:
    change = SectionChange(article=ARTICLE, section=section, rework=rework, **fields)  # type: ignore[arg-type]
    return ArticleOrder(change=change)


def changed(events: list[AnyEvent]) -> Section:
    """All but the second section is as it was."""
    article = finished(events).article
    assert article is not None
    assert finished(events).text == article.markdown()
    assert article.with_section(1, ARTICLE.sections[1]) == ARTICLE
    return article.sections[1]


@pytest.mark.parametrize(
    ("rework", "said"),
    [
        (Rework.REWRITE, "By the river, monks once carved the Longmen Grottoes by hand."),
        (Rework.EXPAND, f"{CAVES} Pilgrims came on foot. They brought oil and incense to burn."),
        (Rework.SHORTEN, "Monks cut the Longmen Grottoes into the cliffs."),
    ],
)
async def test_a_section_is_written_anew(write: Write, rework: Rework, said: str) -> None:
    events = await write(f"Luoyang !change Sure!\\n\\n## Caves\\n\\n{said}", order(rework))
    section = changed(events)
    assert (section.text, section.heading, section.slots) == (said, "Caves", (SLOT,))
    steps = [event for event in events if isinstance(event, ArticleProgress)]
    assert [(step.stage, step.total, step.heading) for step in steps] == [
        (ArticleStage.WRITING, 1, "Caves")
    ]
    assert not any(isinstance(event, Delta) for event in events)


async def test_a_picture_of_what_is_no_longer_said_goes(write: Write, images: NamedImages) -> None:
    """And says so; a person may take it back."""
    said = "Into the cliffs by the river, monks once carved a thousand caves."
    (slot,) = changed(await write(f"Luoyang !change {said}", order(Rework.REWRITE))).slots
    assert (slot.figure, slot.why, slot.candidates) == (None, NoImageReason.UNSAID, (SLOT.figure,))
    images.has = {"Yi": ("c" * 64,)}
    asked = f"Luoyang !change The Yi is a river of fish. {said} !picture The Yi | Yi | photo"
    (slot,) = changed(await write(asked, order(Rework.REWRITE), id="a2")).slots
    assert slot.figure is not None
    assert slot.figure.picture.sha256 == "c" * 64


async def test_what_is_not_shorter_is_cut_by_rule(write: Write) -> None:
    events = await write(f"Luoyang !change {CAVES} And more.", order(Rework.SHORTEN))
    assert changed(events).text == "Monks cut the Longmen Grottoes into the cliffs."


async def test_a_model_without_words_leaves_the_section_as_it_is(write: Write) -> None:
    events = await write("Luoyang !change Sure!", order(Rework.EXPAND))
    assert changed(events) == ARTICLE.sections[1]


async def test_another_picture_is_none_that_was_there(write: Write, images: NamedImages) -> None:
    images.has = {"Longmen Grottoes": ("a" * 64, "b" * 64)}
    section = changed(await write("Luoyang", order(Rework.PICTURE)))
    (slot,) = section.slots
    assert slot.figure is not None
    assert slot.figure.picture.sha256 == "b" * 64
    assert images.excluded == ["a" * 64]


async def test_where_there_is_no_other_picture_the_one_stays(
    write: Write, images: NamedImages
) -> None:
    images.has = {"Longmen Grottoes": ("a" * 64,)}
    assert changed(await write("Luoyang", order(Rework.PICTURE))).slots == (SLOT,)


async def test_a_wish_says_what_the_picture_is_about(write: Write, images: NamedImages) -> None:
    images.has = {"Yi": ("c" * 64,)}
    prompt = "Luoyang !picture A bridge over the river Yi | Yi, Pharos | photo"
    wished = order(Rework.PICTURE, wish="a bridge over the river Yi", slot=1)
    section = changed(await write(prompt, wished))
    assert len(section.slots) == 2
    assert images.needs[-1].entities == ("Yi",)
    assert images.needs[-1].caption == "a bridge over the river Yi"


async def test_a_change_is_another_version_of_the_same_turn(
    queue: JobQueue, redis: Redis, worker: Worker
) -> None:
    """As an answer that is asked for again: it takes its place in the conversation."""
    first = article_job("Luoyang", id="first", capability="chat", order=None)
    again = article_job("Luoyang !change New words.", order(Rework.REWRITE), id="again", parent="")
    async with EventReader(queue, "bot-0") as live, asyncio.timeout(60):
        for job in (first, again):
            await queue.submit(job)
            last = [envelope.event async for envelope in live.follow(job.id)]
    turns = (await History(redis).load("general")).turns
    assert [(turn.job, turn.answer) for turn in turns] == [("again", finished(last).text)]
    assert msgspec.structs.replace(turns[0], at_ms=0).parent == ""

"""`/article` through a real worker and a real queue; what the model writes is scripted."""

import asyncio

import pytest
from redis.asyncio import Redis

from inference.chat_attempt import NoAnswer
from inference.worker import Worker
from jobqueue.article import (
    ArticleLength,
    ArticleOrder,
    ArticleStage,
    ImageKind,
    ImageRequest,
    NoImageReason,
)
from jobqueue.event_reader import EventReader
from jobqueue.history import History
from jobqueue.queue import JobQueue
from jobqueue.schema import (
    ArticleProgress,
    Attachment,
    Delta,
    FinishReason,
)
from tests.inference.article.conftest import NamedImages, Write, article_job, finished

LUOYANG = (
    "Luoyang "
    r"!plan Title: Old Luoyang\n1. Caves: the grottoes\n2. Flowers: peonies "
    "!write Luoyang was a capital of many dynasties, on the river Luo. "
    r"!write ## Caves\n\nSure, here it is:\n\nMonks cut the Longmen Grottoes into the cliffs. "
    "!write In spring the peonies bloom in every park of Luoyang. "
    "!picture The city of Luoyang | Luoyang | photo "
    "!picture The Longmen Grottoes | Longmen Grottoes, Eiffel Tower | photo "
    "!picture Peonies in Kaifeng | Kaifeng | photo"
)
SHORT = ArticleOrder(length=ArticleLength.SHORT)


async def test_an_article_is_planned_written_and_illustrated(
    write: Write, images: NamedImages
) -> None:
    images.has = {"Luoyang": ("a" * 64,), "Longmen Grottoes": ("b" * 64,)}
    events = await write(LUOYANG, SHORT)
    article = finished(events).article
    assert article is not None
    assert (article.title, article.language) == ("Old Luoyang", "en-US")
    assert [section.heading for section in article.sections] == ["", "Caves", "Flowers"]
    assert article.sections[1].text == "Monks cut the Longmen Grottoes into the cliffs."
    assert [figure.caption for figure in article.figures] == [
        "The city of Luoyang",
        "The Longmen Grottoes",
    ]
    assert finished(events).text == article.markdown()


async def test_the_text_streams_in_order_and_the_steps_are_told(
    write: Write, images: NamedImages
) -> None:
    images.has = {"Luoyang": ("a" * 64,)}
    events = await write(LUOYANG, SHORT)
    text = "".join(event.text for event in events if isinstance(event, Delta))
    assert text == (
        "# Old Luoyang\n\nLuoyang was a capital of many dynasties, on the river Luo.\n\n"
        "## Caves\n\nMonks cut the Longmen Grottoes into the cliffs.\n\n"
        "## Flowers\n\nIn spring the peonies bloom in every park of Luoyang."
    )
    steps = [event for event in events if isinstance(event, ArticleProgress)]
    assert [(step.stage, step.done, step.total, step.placed) for step in steps] == [
        (ArticleStage.PLANNING, 0, 0, 0),
        *((ArticleStage.WRITING, done, 3, 0) for done in range(3)),
        (ArticleStage.ILLUSTRATING, 0, 3, 0),
        (ArticleStage.ILLUSTRATING, 1, 3, 1),
        (ArticleStage.ILLUSTRATING, 2, 3, 1),
        (ArticleStage.ILLUSTRATING, 3, 3, 1),
    ]


async def test_what_the_text_does_not_name_is_asked_for_nowhere(
    write: Write, images: NamedImages
) -> None:
    events = await write(LUOYANG, SHORT)
    article = finished(events).article
    assert article is not None
    assert {name for need in images.needs for name in need.entities} == {
        "Luoyang",
        "Longmen Grottoes",
    }
    empty = article.sections[1].slots[0]
    assert (empty.figure, empty.why, empty.need.kind) == (
        None,
        NoImageReason.NOTHING,
        ImageKind.PHOTO,
    )


async def test_as_many_pictures_as_are_wanted(write: Write, images: NamedImages) -> None:
    """Where a place stays empty, another one is looked for; none is, where none is wanted."""
    images.has = {"Longmen Grottoes": ("b" * 64,)}
    one = finished(
        await write(LUOYANG, ArticleOrder(length=ArticleLength.SHORT, pictures=1))
    ).article
    assert one is not None
    assert [len(section.slots) for section in one.sections] == [1, 1, 0]
    assert len(one.figures) == 1
    asked = len(images.needs)
    none = finished(await write(LUOYANG, ArticleOrder(pictures=0), id="a2")).article
    assert none is not None
    assert (none.figures, len(images.needs)) == ((), asked)


async def test_the_persons_own_pictures_are_offered_where_the_text_names_them(
    write: Write, images: NamedImages
) -> None:
    images.has = {"Longmen Grottoes": ("c" * 64,)}
    own = Attachment(sha256="c" * 64, name="longmen_grottoes.jpg", media_type="image/jpeg", size=5)
    article = finished(await write(LUOYANG, SHORT, attachments=(own,))).article
    assert article is not None
    assert images.own == [own]
    (placed,) = article.sections[1].slots
    assert placed.need == ImageRequest(caption="Longmen Grottoes", entities=("Longmen Grottoes",))
    assert placed.figure is not None


async def test_stop_keeps_what_is_written(queue: JobQueue, worker: Worker) -> None:
    slow = LUOYANG.replace("!write In spring", "!delay 20ms !write In spring")
    job = article_job(slow.replace("every park", "every park " + "and garden " * 4_000), SHORT)
    await queue.submit(job)
    async with EventReader(queue, "bot-0") as live, asyncio.timeout(60):
        async for envelope in live.follow(job.id):
            last = envelope.event
            if isinstance(last, ArticleProgress) and last.heading == "Flowers":
                await queue.cancel(job.id)
    stopped = finished([last])
    assert stopped.reason is FinishReason.CANCELLED
    assert stopped.article is not None
    assert [section.heading for section in stopped.article.sections] == ["", "Caves"]
    assert stopped.text == stopped.article.markdown()


async def test_a_plan_that_cannot_be_read_is_made_up_for(write: Write) -> None:
    events = await write("Write an article about tea !plan I cannot do that. !write Tea is old.")
    article = finished(events).article
    assert article is not None
    assert article.title.startswith("Tea")
    assert len(article.sections) >= 1


async def test_a_model_that_writes_nothing_is_said_to_have_no_answer(write: Write) -> None:
    with pytest.raises(NoAnswer):
        await write(r"Tea !plan Title: Tea\n1. A: b\n2. C: d !write Sure!")


async def test_a_worker_writes_it_and_the_channel_remembers(
    queue: JobQueue, redis: Redis, worker: Worker
) -> None:
    await queue.submit(article_job(LUOYANG, SHORT))
    async with EventReader(queue, "bot-0") as live, asyncio.timeout(60):
        events = [envelope.event async for envelope in live.follow("a1")]
    (turn,) = await History(redis).load_newest("general", 5)
    assert (turn.job, turn.prompt, turn.answer) == ("a1", LUOYANG, finished(events).text)
    (status,) = await queue.list_workers()
    assert {"article", "article@scripted"} <= set(status.capabilities)


async def test_in_chinese_it_is_asked_in_chinese(write: Write) -> None:
    prompt = (
        r"洛阳的历史 !plan 标题：千年古都\n1. 龙门石窟：佛教石刻\n2. 牡丹：花会 "
        "!write 洛阳是中国的古都。!write 龙门石窟位于洛阳城南。!write 每年四月，牡丹盛开。"
    )
    article = finished(await write(prompt, SHORT)).article
    assert article is not None
    assert (article.title, article.language) == ("千年古都", "zh-CN")
    assert [section.heading for section in article.sections] == ["", "龙门石窟", "牡丹"]

"""An illustrated article, as its author and its readers see it."""

import pytest
from msgspec.structs import replace

from bot.article.article_store import ArticleRecords
from jobqueue.article import ArticleLength, ArticleOrder, ArticleStage
from jobqueue.schema import ArticleProgress, Delta, FinishReason
from playground.discord.fault_injection import Fault
from playground.discord.json_types import File, MessageFlag
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, holds, until
from tests.bot.discord.writing import (
    CAVES,
    OPENING,
    TITLE,
    Writer,
    controls,
    delivered,
    galleries,
    names,
    press,
    shows,
    written,
)
from tests.playground.page_bot import picture


@pytest.fixture
def writer(silent_room: Room) -> Writer:
    silent_room.discord.backend.rate_limits.enabled = False
    return Writer(silent_room.redis)


async def test_an_article_grows_and_is_laid_out(
    silent_room: Room, world: UserActions, writer: Writer
) -> None:
    room = silent_room
    async with room.bot():
        await writer.announce()
        asked = {"topic": TITLE, "pictures": 4, "length": "short", "seed": 7}
        await world.slash("ada", "general", "article", asked)
        lease = await writer.take()
        assert lease.job.order == ArticleOrder(pictures=4, length=ArticleLength.SHORT)
        assert (lease.job.capability, lease.job.sampling.seed) == ("article", 7)
        await writer.say(ArticleProgress(stage=ArticleStage.PLANNING))
        await shows(room, "Planning the article")
        await writer.say(
            Delta(text=f"# {TITLE}\n\n{OPENING}"),
            ArticleProgress(stage=ArticleStage.WRITING, done=1, total=3),
        )
        growing = await shows(room, OPENING, "1 of 3 sections")
        assert names(growing) == ["Stop"]
        await writer.say(
            ArticleProgress(stage=ArticleStage.ILLUSTRATING, done=1, total=2, placed=1)
        )
        await shows(room, OPENING, "searched for 1 of 2, placed 1")
        await writer.deliver(await writer.article())
        whole = await shows(room, f"# {TITLE}\n{OPENING}", CAVES.strip(), "x²", without="placed")
        assert MessageFlag.COMPONENTS_V2 in whole.flags
        assert [g["items"][0]["description"] for g in galleries(whole)] == [
            "The *great* Buddha, seen from the river"
        ]
        texts = [part.get("content", "") for part in whole.data["components"]]
        at = next(n for n, part in enumerate(whole.data["components"]) if part["type"] == 12)
        assert CAVES.strip() in texts[at - 1]
        assert texts[at + 1] == "-# *The \\*great\\* Buddha*\n-# © Ada\\_L · CC BY 4.0"
        assert names(whole) == ["Edit", "Download", "Why no picture here?", "Again", "👍", "👎"]
        records = ArticleRecords(room.redis)
        ada = str(world.user("ada")["id"])

        async def kept() -> bool:
            return bool(await records.list_of(ada))

        await holds(kept)


async def test_its_author_edits_it_by_hand(
    silent_room: Room, world: UserActions, writer: Writer
) -> None:
    room = silent_room
    async with room.bot():
        last = await written(room, writer, await writer.article())
    async with room.bot():  # all of it works after a restart
        await press(room, last, "edit", user="bob")
        await room.notice("This article belongs to ada", viewer="bob")
        await press(room, last, "edit")
        editor = await shows(room, "## ✏️ Luoyang", "**1. Opening**")
        await press(room, editor, "pick", "1")
        await shows(room, "**2. Caves**", "🖼️ The \\*great\\* Buddha")
        await press(room, editor, "picture")
        await shows(room, "**1** · A bridge")
        await press(room, editor, "take", "0")
        bridged = await shows(room, "# Luoyang", "-# *A bridge*")
        assert [g["items"][0]["description"] for g in galleries(bridged)] == [
            "A bridge, seen from the river"
        ]
        await press(room, editor, "undo")
        await shows(room, "# Luoyang", "-# *The \\*great\\* Buddha*", without="A bridge")
        form = await press(room, editor, "text")
        await world.submit_modal(form, {"heading": "Grottoes", "text": "Cut from **rock**."})
        await shows(room, "# Luoyang", "## Grottoes\nCut from **rock**.")
        await press(room, editor, "down")
        await shows(room, "✏️ Luoyang", "**3. Grottoes**")
        await shows(room, "times.\n## Grottoes")


async def forgotten(room: Room) -> None:
    keys = [key async for key in room.redis.scan_iter("*blob:*")]
    assert keys
    await room.redis.delete(*keys)


async def test_what_is_taken_away_and_what_everybody_may_have(
    silent_room: Room, world: UserActions, writer: Writer
) -> None:
    room = silent_room
    async with room.bot():
        last = await written(room, writer, await writer.article())
        await press(room, last, "edit")
        editor = await shows(room, "**1. Opening**")
        await press(room, editor, "pick", "1")
        await press(room, editor, "remove")
        await shows(room, "# Luoyang", without="Buddha")
        await press(room, last, "why", user="bob")
        await shows(
            room,
            "◻️ *Caves*: the picture was removed\n-# The author can choose",
            "◻️ **Flowers** · *Peonies in bloom*: no picture of this is available",
            without="1.png",  # what is the operator's alone
            viewer="bob",
        )
        await press(room, editor, "undo")
        await shows(room, "# Luoyang", "Buddha")
        await forgotten(room)  # the queue keeps pictures for a day: the messages have them
        await press(room, editor, "down")
        moved = await shows(room, "times.\n", "-# © Ada", without="times.\n-#")
        assert len(list(galleries(moved))) == 1
        await press(room, last, "download", user="bob")
        sent = await shows(room, "The article as Markdown", viewer="bob")
        (file,) = sent.data["attachments"]
        assert file["filename"] == "Luoyang.zip"


async def test_a_section_is_written_anew_in_its_place(
    silent_room: Room, world: UserActions, writer: Writer
) -> None:
    room = silent_room
    async with room.bot():
        article = await writer.article()
        last = await written(room, writer, article)
        await press(room, last, "edit")
        editor = await shows(room, "**1. Opening**")
        await press(room, editor, "pick", "1")
        form = await press(room, editor, "rewrite")
        await world.submit_modal(form, {"wish": "more on the rock"})
        lease = await writer.take()
        change = lease.job.order and lease.job.order.change
        assert change
        assert (change.section, change.rework, change.wish) == (1, "rewrite", "more on the rock")
        await shows(room, "A section is being changed")
        await writer.say(ArticleProgress(stage=ArticleStage.WRITING, total=1, heading="Caves"))
        growing = await shows(room, "# Luoyang", CAVES.strip(), "Changing:** Caves")
        assert names(growing) == ["Stop"]
    async with room.bot():  # the next process goes on with it
        rock = replace(article.sections[1], text="All of it is rock.")
        await writer.deliver(article.with_section(1, rock))
        await shows(room, "# Luoyang", "All of it is rock.", without="Changing:")
        await delivered(room, writer)
        await press(room, editor, "show")
        await shows(room, "**2. Caves**\n> All of it is rock.")
        await press(room, editor, "undo")
        await shows(room, "# Luoyang", CAVES.strip())


async def test_where_components_are_refused_it_is_plain(
    silent_room: Room, world: UserActions, writer: Writer
) -> None:
    room = silent_room
    refused = Fault(route="PATCH /webhooks/*", status=400)
    async with room.bot():
        room.discord.backend.faults.add(refused)
        last = await written(room, writer, await writer.article())
        assert refused.hits == 1
        said = room.bot_says()
        assert not any(MessageFlag.COMPONENTS_V2 in message.flags for message in said)
        assert [len(message.data["attachments"]) for message in said] == [0, 1, 0]
        assert said[1].data["content"].endswith("-# © Ada\\_L · CC BY 4.0")
        assert last.id == said[-1].id
        await press(room, last, "edit")
        await shows(room, "**1. Opening**")


async def test_a_stopped_article_keeps_what_is_there_and_can_be_asked_for_again(
    silent_room: Room, world: UserActions, writer: Writer
) -> None:
    room = silent_room
    async with room.bot():
        await writer.announce()
        options = {"topic": TITLE, "private": True}
        await world.slash("ada", "general", "article", options, [File("cave.png", picture())])
        (own,) = (await writer.take()).job.attachments
        assert (own.name, own.media_type) == ("cave.png", "image/png")
        await writer.say(Delta(text=f"# {TITLE}\n\n{OPENING}"))
        growing = await shows(room, OPENING)
        stopped = await world.click("ada", "general", growing.id, "Stop")
        assert await stopped.wait_acknowledged()
        article = await writer.article()
        begun = replace(article, sections=article.sections[:1])
        await writer.deliver(begun, FinishReason.CANCELLED)
        last = await shows(room, OPENING, "-# I read `cave.png`.\n-# Stopped.")
        await until(lambda: "Again" in names(last))
        await delivered(room, writer)
        again = await world.click("ada", "general", last.id, "Again")
        assert await again.wait_acknowledged()
        await writer.take()
        await writer.say(ArticleProgress(stage=ArticleStage.PLANNING))
        await shows(room, OPENING, "Planning the article")
        await writer.deliver(article)
        await shows(room, "# Luoyang", "## Caves", without="Planning")
        (thumb,) = [c["custom_id"] for c in controls(last) if ":up:" in c["custom_id"]]
        up = await world.click("ada", "general", last.id, thumb)
        assert await up.wait_acknowledged()
        await room.notice("Your vote is counted, thank you. 👍 1")


async def test_where_no_model_writes_articles_that_is_said(room: Room, world: UserActions) -> None:
    await world.slash("ada", "general", "article", {"topic": TITLE})
    await room.notice("No running model can write articles now")

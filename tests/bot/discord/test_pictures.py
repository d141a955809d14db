"""Pictures in Discord, seen by the real small eye beside a model that only reads."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

import playground.web_ui
from inference.engines.transformers_engine import TransformersEngine
from inference.models import resolve
from inference.worker import Worker
from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.queue import JobQueue
from playground.discord.json_types import File
from playground.discord.state import StoredMessage
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, growing, holds, running, said, until

SAMPLES = Path(playground.web_ui.__path__[0]) / "static" / "samples"


def sample(name: str) -> File:
    return File(f"{name}.png", (SAMPLES / f"{name}.png").read_bytes())


@pytest_asyncio.fixture
async def gallery(room: Room) -> AsyncIterator[Room]:
    """A room where somebody sees."""
    queue = JobQueue(room.redis)
    worker = Worker(
        queue,
        History(room.redis),
        TransformersEngine(model="eye", folder=resolve("eye").folder, slots=2, chats=False),
        name="eye",
        system="",
        blobs=Blobs(room.redis),
        drain_s=0.1,
    )

    async def seeing() -> bool:
        return any("vision" in w.capabilities for w in await queue.list_workers())

    async with running(worker.run()):
        await holds(seeing)
        yield room


async def says(room: Room, text: str) -> StoredMessage:
    """The bot's whole message that begins with this."""
    return await until(
        lambda: next(
            (
                message
                for message in room.bot_says()
                if said(message).startswith(text) and not growing(message)
            ),
            None,
        )
    )


async def test_a_picture_a_follow_up_and_which_of_two(gallery: Room, world: UserActions) -> None:
    await world.say("ada", "general", "@commonroom What number is shown?", [sample("number")])
    await says(gallery, "47")
    await world.say("ada", "general", "@commonroom What color is the number?")
    await says(gallery, "Green")
    await world.say("bob", "general", "@commonroom Which image shows a heart?", [sample("hearts")])
    await says(gallery, "Image-2")
    turns = await History(gallery.redis).load_newest(gallery.bot_says()[0].channel, 3)
    assert [len(turn.attachments) for turn in turns] == [1, 0, 1]
    assert turns[0].attachments[0].media_type == "image/png"


async def test_a_reply_to_a_posted_picture_asks_about_it(gallery: Room, world: UserActions) -> None:
    posted = await world.say("bob", "general", "look at that", [sample("number")])
    await world.say("ada", "general", "@commonroom What number is shown?", reply_to=posted.id)
    await says(gallery, "47")


async def test_the_menu_explains_a_picture(gallery: Room, world: UserActions) -> None:
    posted = await world.say("bob", "general", "look at that", [sample("big")])
    await world.context_menu("ada", "general", "Explain image", posted.id)
    await says(gallery, "An orange hexagon and a white triangle.")


async def test_without_a_picture_there_is_nothing_to_explain(
    room: Room, world: UserActions
) -> None:
    posted = await world.say("bob", "general", "only words")
    await world.context_menu("ada", "general", "Explain image", posted.id)
    await room.notice("There is no picture in that message.")

"""Rate limits and faults, and what discord.py makes of them."""

import asyncio
import time

import aiohttp
import discord
import pytest

from playground.discord.fault_injection import Fault
from playground.discord.server import LocalDiscord
from playground.discord.user_actions import UserActions
from tests.playground.rest_client import Answer, RestClient
from tests.playground.seeing import watching
from tests.playground.small_bot import SmallBot, running


async def test_a_full_bucket_answers_429_until_it_is_reset(
    rest: RestClient, local_discord: LocalDiscord
) -> None:
    local_discord.backend.rate_limits.enabled = True
    answers = [await rest.post({"content": "x"}) for _ in range(6)]
    assert [a.status for a in answers] == [200] * 5 + [429]
    assert [a.headers["X-RateLimit-Remaining"] for a in answers[:5]] == ["4", "3", "2", "1", "0"]
    last = answers[-1]
    assert 0 < last.body["retry_after"] <= 5
    assert last.headers["Via"]
    assert last.headers["X-RateLimit-Scope"] == "user"


async def test_other_channels_have_buckets_of_their_own(
    rest: RestClient, local_discord: LocalDiscord, world: UserActions
) -> None:
    local_discord.backend.rate_limits.enabled = True
    other = world.create_channel("other")["id"]
    for _ in range(5):
        await rest.post({"content": "x"})
    assert (await rest.post({"content": "x"}, channel=other)).status == 200


async def test_the_global_limit(rest: RestClient, local_discord: LocalDiscord) -> None:
    local_discord.backend.rate_limits.enabled = True
    refused: list[Answer] = []
    async with asyncio.timeout(30):  # a slow machine needs more than one attempt within a second
        while not refused:
            answers = await asyncio.gather(*(rest("GET", "/users/@me") for _ in range(60)))
            refused = [answer for answer in answers if answer.status == 429]
    assert all(a.body["global"] for a in refused)


async def test_too_many_invalid_requests_are_a_ban(
    rest: RestClient, local_discord: LocalDiscord
) -> None:
    local_discord.backend.rate_limits.enabled = True
    for _ in range(9_999):
        local_discord.backend.rate_limits.count_invalid()
    assert (await rest("GET", "/users/@me", token="wrong")).status == 401
    assert local_discord.backend.rate_limits.is_banned()


async def test_discord_py_spaces_its_edits(local_discord: LocalDiscord, world: UserActions) -> None:
    """Eight edits of one message: five at once, the rest after the bucket's reset."""

    async def answer(_: SmallBot, message: discord.Message) -> None:
        sent = await message.channel.send("0")
        for n in range(1, 9):
            await sent.edit(content=str(n))

    bot = SmallBot()
    bot.answer = answer
    local_discord.backend.rate_limits.enabled = True
    async with running(bot, local_discord):
        with watching(world) as watch:
            began = time.monotonic()
            await world.say("ada", "general", "go")
            await watch.content("8")
    assert time.monotonic() - began >= 4.5
    assert local_discord.backend.rate_limits.refused_count == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault(route="POST /channels/*/messages", status=429, times=2, retry_after=0.05),
        Fault(route="POST /channels/*/messages", status=502, times=1),
        Fault(kind="latency", route="*", seconds=0.2),
    ],
    ids=["429", "502", "latency"],
)
async def test_discord_py_absorbs_a_fault(
    local_discord: LocalDiscord, world: UserActions, fault: Fault
) -> None:
    async def answer(_: SmallBot, message: discord.Message) -> None:
        await message.channel.send("done")

    bot = SmallBot()
    bot.answer = answer
    async with running(bot, local_discord):
        local_discord.backend.faults.add(fault)
        with watching(world) as watch:
            await world.say("ada", "general", "go")
            await watch.content("done")
    assert fault.hits == fault.times
    assert len(world.messages("general")) == 2


async def test_a_lost_answer_after_the_effect_is_repeated_without_harm(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    """The server posts, its answer is lost, discord.py tries again: the nonce saves us."""

    async def answer(_: SmallBot, message: discord.Message) -> None:
        await message.channel.send("done", nonce=str(message.id))
        await message.channel.send("end")

    bot = SmallBot()
    bot.answer = answer
    async with running(bot, local_discord):
        local_discord.backend.faults.add(
            Fault(route="POST /channels/*/messages", status=500, after=True)
        )
        with watching(world) as watch:
            await world.say("ada", "general", "go")
            await watch.content("end")
    assert [m.data["content"] for m in world.messages("general")] == ["go", "done", "end"]


async def test_a_cut_connection_reaches_the_bot_as_such(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    async def answer(_: SmallBot, message: discord.Message) -> None:
        try:
            await message.channel.send("never")
        except aiohttp.ClientError as error:
            await message.channel.send(type(error).__name__)

    bot = SmallBot()
    bot.answer = answer
    async with running(bot, local_discord):
        local_discord.backend.faults.add(Fault("cut", "POST /channels/*/messages"))
        with watching(world) as watch:
            await world.say("ada", "general", "go")
            seen = await watch.until(
                lambda s: s.message_change == "create" and s.data["author"]["bot"]
            )
    assert seen.data["content"] == "ServerDisconnectedError"

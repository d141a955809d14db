"""`/solve` with a photo of the problem and no word besides."""

import pytest
from redis.asyncio import Redis

from jobqueue.history import History
from jobqueue.schema import Check, Failed, FailureCode, Finished
from tests.drawn import written
from tests.inference.agent.conftest import Solve
from tests.inference.agent.test_solve import calls, returns
from tests.inference.test_legible import posted

pytestmark = pytest.mark.usefixtures("reader")


@pytest.mark.parametrize("words", ["", "Please solve this!", "帮我解一下这道题"])
@pytest.mark.parametrize("script", ["!run print(4) !say it is 4"], indirect=True)
async def test_it_is_read_solved_and_checked(
    solve: Solve, redis: Redis, script: str, words: str
) -> None:
    photos = await posted(redis, written("Solve 2x + 3 = 11 for x."))
    *events, last = await solve(words, attachments=photos)
    assert calls(events) == {1: '{"picture":"1.png"}', 2: "print(4)"}
    assert [each.text for each in returns(events)] == ["Solve 2x + 3 = 11 for x.", "4"]
    assert isinstance(last, Finished)
    assert last.check is Check.VERIFIED
    [turn] = (await History(redis).load("channel-of-j1")).turns
    assert (turn.prompt, turn.programs) == ("Solve 2x + 3 = 11 for x.", ("print(4)",))


@pytest.mark.parametrize("script", ["!run print(5) !say it is 5"], indirect=True)
async def test_words_that_ask_for_more_are_part_of_the_problem(
    solve: Solve, redis: Redis, script: str
) -> None:
    photos = await posted(redis, written("Solve 2x + 3 = 11 for x."))
    *_, last = await solve("Solve this and add 1.", attachments=photos)
    assert isinstance(last, Finished)
    assert last.check is Check.NONE
    [turn] = (await History(redis).load("channel-of-j1")).turns
    assert turn.prompt.startswith("Solve this and add 1.\n\nFile ")


async def test_where_nothing_is_written_nothing_is_solved(solve: Solve, redis: Redis) -> None:
    *_, last = await solve("", attachments=await posted(redis, written("")))
    assert isinstance(last, Failed)
    assert last.code is FailureCode.NO_TEXT


async def test_a_model_with_tools_reads_an_earlier_picture(solve: Solve, redis: Redis) -> None:
    photos = await posted(redis, written("Gate 47"))
    await solve("look", "j1", channel="c", capability="chat", attachments=photos)
    call = 'and? !call read_picture {"picture": "1.png"} !say it says {output}'
    wanted = {"channel": "c", "capability": "chat", "tools": ("read_picture",)}
    *_, last = await solve(call, "j2", **wanted)
    assert isinstance(last, Finished)
    assert last.text == "it says Gate 47"

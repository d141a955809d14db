"""Older turns become a summary: when, of what, and what is read afterwards."""

import asyncio

import pytest
from redis.asyncio import Redis

from inference.chat_attempt import compose
from inference.engines.base import Request
from inference.engines.scripted import ScriptedEngine
from inference.summarizer import Summarizer, transcript
from jobqueue.history import History
from jobqueue.queue import JobQueue
from jobqueue.schema import Finished, Summary, Turn
from tests.inference.support import until
from tests.inference.test_worker import ask, job, working
from tests.jobqueue.support import claim_one, finish, make_job

ROOM = 600  # of 800 tokens, a quarter is the answer's


class Minutes(ScriptedEngine):
    """Takes minutes when it is asked to, and keeps the requests."""

    def __init__(self, *, slots: int = 64) -> None:
        super().__init__(context_tokens=800, slots=slots)
        self.asked: list[Request] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def generate(self, request: Request):  # type: ignore[no-untyped-def]
        self.asked.append(request)
        if request.id.startswith("summary."):
            await self.gate.wait()
        async for chunk in super().generate(request):
            yield chunk


async def said(queue: JobQueue, *names: str, tokens: int = 100) -> None:
    for name in names:
        await queue.submit(make_job(name))
        await finish(queue, await claim_one(queue), f"answer {name}", tokens)


@pytest.fixture
def history(redis: Redis) -> History:
    return History(redis)


async def test_there_is_no_summary_while_everything_fits_well(
    queue: JobQueue, history: History
) -> None:
    engine = Minutes()
    await said(queue, "a", "b", "c", "d")  # 400 of 600
    assert not await Summarizer(history, engine).compact("general", "d")
    assert engine.asked == []


async def test_the_older_half_is_summarised_and_then_that_with_what_follows(
    queue: JobQueue, history: History
) -> None:
    engine = Minutes()
    summarizer = Summarizer(history, engine)
    await said(queue, "a", "b", "c", "d", "e")
    assert await summarizer.compact("general", "e")
    first = (await history.load_since_summary("general", "e")).summary
    assert first is not None
    assert (first.turn, first.turns) == ("b", 2)
    asked = engine.asked[0].messages[-1].content
    assert "answer a" in asked
    assert "answer c" not in asked

    assert not await summarizer.compact("general", "e")  # done for now
    await said(queue, "f", "g")
    assert await summarizer.compact("general", "g")
    second = (await history.load_since_summary("general", "g")).summary
    assert second is not None
    assert (second.turn, second.turns) == ("d", 4)
    assert f"Minutes so far:\n{first.text}" in engine.asked[1].messages[-1].content


async def test_the_question_is_answered_after_the_summary_and_the_newer_turns(
    queue: JobQueue, history: History
) -> None:
    engine = Minutes()
    await said(queue, "a", "b", "c", "d", "e", "f")
    assert await Summarizer(history, engine).compact("general", "f")
    await said(queue, "g", tokens=200)
    prompt = await compose(job("j", "now?"), history, engine, system="be brief")
    assert (prompt.summarised_turns, prompt.omitted_turns) == (3, 0)
    system, told, _, *turns = prompt.messages
    assert system.content == "be brief"  # what people said is no order
    assert (told.role, "[turn 1]" in told.content) == ("user", True)
    assert [m.content for m in turns if m.role == "assistant"] == [
        f"answer {name}" for name in "defg"
    ]


async def test_it_gives_way_to_answers_and_goes_on_afterwards(
    queue: JobQueue, history: History
) -> None:
    engine = Minutes(slots=8)
    summarizer = Summarizer(history, engine)
    await said(queue, "a", "b", "c", "d", "e")
    running = asyncio.create_task(summarizer.run())
    engine.gate.clear()
    summarizer.note_answer("general", "e")
    await until(lambda: bool(engine.asked), within_s=20)
    summarizer.answering(2)  # more than an eighth of the slots
    await until(lambda: summarizer._writing is not None and summarizer._writing.done(), within_s=20)
    assert (await history.load_since_summary("general", "e")).summary is None
    engine.gate.set()
    summarizer.answering(1)
    async with asyncio.timeout(20):
        while (await history.load_since_summary("general", "e")).summary is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])


async def test_a_worker_summarises_a_long_conversation_by_itself(
    queue: JobQueue, redis: Redis, history: History
) -> None:
    engine = Minutes()
    async with working(queue, redis, engine, summarizer=Summarizer(history, engine)):
        for n in range(4):
            await ask(queue, job(f"j{n}", "tell me more !tokens 150"))
        async with asyncio.timeout(20):
            while (await history.load_since_summary("general", "j3")).summary is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        *_, last = await ask(queue, job("j4", "and now? !tokens 150"))
    assert isinstance(last, Finished)
    assert last.summarised_turns >= 1


def test_a_transcript_names_who_speaks() -> None:
    turn = Turn(job="a", user="u", user_name="Ada", prompt="Where?", answer="Here.")
    before = Summary(turn="x", text="They met.", turns=3, tokens=3)
    assert transcript([turn], before).startswith(
        "Minutes so far:\nThey met.\n\nAda: Where?\n\nAssistant: Here.\n\n"
    )

"""Long records are kept compressed, and those of earlier versions are read as they are."""

import msgspec
from redis.asyncio import Redis

from bot.agent_trace import AgentTrace, Thinking, TraceRecords
from bot.answer_store import ShownAnswer, ShownAnswers, Version
from bot.reply_protocol import AnswerOutcome
from bot.user_records import UserRecord
from jobqueue.lua_runner import Scripts
from jobqueue.schema import FinishReason
from tests.jobqueue.support import make_job

WORDS = "What people write repeats itself, more or less. " * 1_000


async def test_an_answers_long_record_is_small_and_whole(redis: Redis) -> None:
    job = msgspec.structs.replace(make_job("1"), prompt=WORDS)
    shown = ShownAnswer("1", ("9/2",), (Version.of(job, AnswerOutcome(FinishReason.STOP)),))
    answers = ShownAnswers(redis)
    await answers.store(shown)
    assert await answers.find("2") == shown
    assert await redis.strlen(Scripts(redis, "main").key("answer", "1")) < len(WORDS) // 4


async def test_records_of_an_earlier_version_are_read(redis: Redis) -> None:
    scripts, works = Scripts(redis, "main"), TraceRecords(redis)
    work = AgentTrace((Thinking(WORDS[:9_000], 0, 1),))
    await redis.set(scripts.key("steps", "old"), msgspec.json.encode(UserRecord("ada", work)))
    await works.keep("new", "ada", work)
    assert await works.list_of("ada") == {"old": work, "new": work}
    await works.erase("ada")
    assert await works.find("new") is await works.find("old") is None

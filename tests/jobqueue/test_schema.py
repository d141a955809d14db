"""What crosses processes is checked where it is made and survives the wire."""

from collections.abc import Callable

import msgspec
import pytest
from redis.asyncio import Redis

from bot.pending_questions import PendingQuestions, Question
from jobqueue.article import ArticleStage
from jobqueue.errors import InvalidJob
from jobqueue.queue import JobQueue
from jobqueue.schema import (
    AnyEvent,
    ApprovalRequest,
    ArticleProgress,
    Attachment,
    CallStatus,
    Delta,
    Failed,
    FailureCode,
    Finished,
    FinishReason,
    Job,
    ReasoningDelta,
    Sampling,
    Started,
    ToolCallDelta,
    ToolResult,
    decode_event,
    decode_job,
    decode_summary,
    decode_turn,
    decode_worker,
    encode,
)
from tests.jobqueue.support import make_job


@pytest.mark.parametrize(
    "event",
    [
        Started(attempt=2, worker="w", model="m"),
        Delta(text="Grüße 你好 \x00 </s>"),
        Finished(text="all", reason=FinishReason.CANCELLED, completion_tokens=3),
        Failed(code=FailureCode.TOO_LONG, detail="9 > 8"),
    ],
)
def test_events_survive_the_wire(event: AnyEvent) -> None:
    assert decode_event(encode(event)) == event


def test_a_job_survives_the_wire() -> None:
    attachment = Attachment(sha256="0" * 64, name="ä.png", media_type="image/png", size=3)
    job = msgspec.structs.replace(
        make_job("a"), attachments=(attachment,), sampling=Sampling(stop=("x",), temperature=0)
    )
    assert decode_job(encode(job)) == job


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "x" * 101),
        ("channel", "a b"),
        ("server", "a{b}"),
        ("user", "ü"),
        ("capability", "a:b"),
        ("prompt", " \n"),
        ("prompt", "x" * 100_001),
        ("ttl_ms", 0),
    ],
)
def test_a_job_out_of_bounds_is_not_made(field: str, value: str | int) -> None:
    with pytest.raises(InvalidJob) as error:
        msgspec.structs.replace(make_job("a"), **{field: value})
    assert error.value.field == field


@pytest.mark.parametrize("values", [{"temperature": 3}, {"top_p": -1}, {"max_tokens": 0}])
def test_sampling_out_of_bounds_is_not_made(values: dict[str, float]) -> None:
    with pytest.raises(InvalidJob):
        Sampling(**values)  # type: ignore[arg-type]


def test_a_picture_may_come_without_words() -> None:
    attachment = Attachment(sha256="0" * 64, name="a", media_type="image/png", size=1)
    job = Job(
        id="1", channel="c", user="u", user_name="U", server="s", reader="r", prompt="",
        attachments=(attachment,),
    )  # fmt: skip
    assert job.attachments == (attachment,)


# --- nested without end -------------------------------------------------------------------------

DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "decode", [decode_job, decode_event, decode_turn, decode_summary, decode_worker]
)
@pytest.mark.parametrize(
    "text",
    [
        DEEP,
        DEEP[:100_000],
        b'{"type":"delta","unknown":' + DEEP + b"}",
        b'{"id":' + DEEP + b"}",
        b'{"unknown":' + b'{"a":' * 100_000,
    ],
)
def test_what_is_nested_without_end_cannot_be_read(
    decode: Callable[[bytes], object], text: bytes
) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(text)


async def test_what_cannot_be_read_harms_nothing_beside_it(redis: Redis) -> None:
    """A job, a worker's status and a held question, damaged in the store."""
    queue, held = JobQueue(redis), PendingQuestions(redis, "bot-0")
    key = queue.scripts.key
    for name in ("1", "2"):
        await queue.submit(make_job(name, channel=name, reader="bot-0"))
        await held.save(Question(make_job(name)))
    deep = b'{"x":' + DEEP + b"}"
    await redis.hset(key("job", "1"), "body", deep)
    await redis.hset(key("heard", "bot-0"), "1", deep)
    await redis.hset(key("workers"), "w1", deep)
    assert [question.job.id for question in await held.list_all()] == ["2"]
    assert [job.id for job, _ in await queue.list_undelivered("bot-0")] == ["2"]
    assert [lease.job.id for lease in await queue.claim("w", 4, ["chat"], "n")] == ["2"]
    assert await queue.list_workers() == []


@pytest.mark.parametrize(
    ("stored", "event"),
    [
        (b'{"type":"thought","text":"a"}', ReasoningDelta(text="a")),
        (
            b'{"type":"call","step":1,"tool":"t","text":"a"}',
            ToolCallDelta(step=1, tool="t", text="a"),
        ),
        (b'{"type":"asks","step":1,"attempt":2}', ApprovalRequest(step=1, attempt=2)),
        (b'{"type":"returned","step":1,"status":"ok"}', ToolResult(step=1, status=CallStatus.OK)),
        (b'{"type":"progress","stage":"planning"}', ArticleProgress(stage=ArticleStage.PLANNING)),
    ],
)
def test_events_keep_their_names_in_redis(stored: bytes, event: AnyEvent) -> None:
    """Workers and bots of other versions know these names, not those of the classes."""
    assert encode(event) == stored
    assert decode_event(stored) == event

"""What crosses processes is checked where it is made and survives the wire."""

import msgspec
import pytest

from jobqueue.errors import InvalidJob
from jobqueue.schema import (
    AnyEvent,
    Attachment,
    Delta,
    Failed,
    FailureCode,
    Finished,
    FinishReason,
    Job,
    Sampling,
    Started,
    decode_event,
    decode_job,
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

"""`/solve` from a job to its last event, with real programs."""

import pytest
from redis.asyncio import Redis

from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.schema import (
    AnyEvent,
    CallStatus,
    Check,
    Delta,
    Failed,
    FailureCode,
    Finished,
    ReasoningDelta,
    Started,
    ToolCallDelta,
    ToolResult,
)
from tests.inference.agent.conftest import Solve


def calls(events: list[AnyEvent]) -> dict[int, str]:
    """What was asked in each step, put together from its pieces."""
    texts: dict[int, str] = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            texts[event.step] = texts.get(event.step, "") + event.text
    return texts


def returns(events: list[AnyEvent]) -> list[ToolResult]:
    return [event for event in events if isinstance(event, ToolResult)]


async def test_a_program_is_thought_of_written_run_and_answered_with(
    solve: Solve, redis: Redis
) -> None:
    events = await solve(
        r"2x+3=10 !think I solve for x. !run print((10-3)/2) !say x is \boxed{{output}}"
    )
    assert isinstance(events[0], Started)
    thought = "".join(e.text for e in events if isinstance(e, ReasoningDelta))
    assert thought == "I solve for x.\n"
    assert calls(events) == {1: "print((10-3)/2)"}
    [returned] = returns(events)
    assert (returned.step, returned.status, returned.text) == (1, CallStatus.OK, "3.5")
    answer = "x is 3.5\n\n$$\\boxed{3.5}$$"
    assert "".join(e.text for e in events if isinstance(e, Delta)) == answer
    assert isinstance(events[-1], Finished)
    assert (events[-1].text, events[-1].check) == (answer, Check.NONE)
    [turn] = (await History(redis).load("channel-of-j1")).turns
    assert (turn.answer, turn.programs) == (answer, ("print((10-3)/2)",))


async def test_figures_are_kept_and_told(solve: Solve, redis: Redis) -> None:
    events = await solve(r"draw !run import matplotlib.pyplot as plt\nplt.plot([1, 2]) !say done")
    [figure] = returns(events)[0].figures
    assert figure.media_type == "image/png"
    png = await Blobs(redis).get(figure.sha256)
    assert png is not None
    assert (len(png), png[:4]) == (figure.size, b"\x89PNG")


@pytest.mark.parametrize(
    ("question", "sentence"),
    [("draw", "The figure shows the result."), ("画出", "图中是程序画出的结果。")],
)
async def test_a_figure_without_text_is_an_answer(
    solve: Solve, redis: Redis, question: str, sentence: str
) -> None:
    drawn = rf"{question} !run import matplotlib.pyplot as plt\nplt.plot([1, 2]) !say \boxed{{}}"
    events = await solve(drawn)
    assert len(returns(events)[-1].figures) == 1
    assert isinstance(events[-1], Finished)
    assert events[-1].text == sentence
    assert "".join(e.text for e in events if isinstance(e, Delta)) == sentence
    [turn] = (await History(redis).load("channel-of-j1")).turns
    assert turn.answer == sentence


async def test_an_error_is_shown_and_repaired(solve: Solve) -> None:
    events = await solve("q !run 1/0 !run print(42) !say {output}")
    failed, good = returns(events)
    assert failed.status is CallStatus.FAILED
    assert "ZeroDivisionError" in failed.text
    assert (good.step, good.status, good.text) == (2, CallStatus.OK, "42")
    assert isinstance(events[-1], Finished)
    assert events[-1].text == "42\n\n$$\\boxed{42}$$"


async def test_what_is_not_a_call_never_runs(solve: Solve, redis: Redis) -> None:
    events = await solve('q !call python {"program": print(1)} !call rm {} !call python 7 !say no')
    assert [e.status for e in returns(events)] == [CallStatus.REFUSED] * 3
    assert "JSON" in returns(events)[0].text
    assert "there is no tool 'rm'" in returns(events)[1].text
    [turn] = (await History(redis).load("channel-of-j1")).turns
    assert turn.programs == ()


async def test_seven_turns_without_an_answer_are_told_as_such(solve: Solve) -> None:
    events = await solve("q" + " !run print(1)" * 9)
    assert [e.step for e in returns(events)] == [1, 2, 3, 4, 5, 6, 7]
    assert isinstance(events[-1], Failed)
    assert events[-1].code is FailureCode.NO_ANSWER


# --- a test of its own ---------------------------------------------------------------------------


@pytest.mark.parametrize("script", ["!run print(7/2) !say done"], indirect=True)
async def test_a_result_that_stands_its_test_is_verified(solve: Solve, script: str) -> None:
    *_, last = await solve("Solve 2x + 3 = 10 for x.")
    assert isinstance(last, Finished)
    assert last.check is Check.VERIFIED
    assert last.text == "done\n\n$$\\boxed{3.5}$$"


@pytest.mark.parametrize(
    "script", ["!run print(4) !say it is 4 !run print(7/2) !say it is 3.5"], indirect=True
)
async def test_a_refuted_result_is_repaired(solve: Solve, script: str) -> None:
    events = await solve("Solve 2x + 3 = 10 for x.")
    assert [e.text for e in returns(events)] == ["4", "3.5"]
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.check is Check.VERIFIED
    assert last.text == "it is 3.5\n\n$$\\boxed{3.5}$$"


@pytest.mark.parametrize("script", ["!run print(4) !say it is 4"], indirect=True)
async def test_a_model_that_insists_is_overruled_by_the_question(solve: Solve, script: str) -> None:
    events = await solve("Solve 2x + 3 = 10 for x.")
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.check is Check.VERIFIED
    assert last.text == "$$\\boxed{x = \\frac{7}{2} \\approx 3.5}$$"
    assert "4" not in last.text.replace("\\frac{7}{2}", "")


@pytest.mark.parametrize("script", ["!run print(4) !say it is 4"], indirect=True)
async def test_what_is_not_understood_word_for_word_is_never_verified(
    solve: Solve, script: str
) -> None:
    *_, last = await solve("What is twice the solution of 2x + 3 = 7?")
    assert isinstance(last, Finished)
    assert last.check is Check.NONE


@pytest.mark.parametrize("script", ["!run print(4) !say it is 4"], indirect=True)
@pytest.mark.parametrize(
    ("question", "locale", "answer"),
    [
        ("2(x+3)=2x+6", "en-US", "**true for all real x**"),
        ("2(x+3)=2x+6", "zh-CN", "**对所有实数 x 成立**"),
        (
            "求极限：当 x 趋于 0 时 1/x",
            "en-US",
            "**极限不存在：左极限为负无穷大，右极限为正无穷大**",
        ),
        ("1/0", "en-GB", "**undefined**"),
    ],
)
async def test_what_is_no_number_is_answered_in_words(
    solve: Solve, script: str, question: str, locale: str, answer: str
) -> None:
    *_, last = await solve(question, locale=locale)
    assert isinstance(last, Finished)
    assert (last.text, last.check) == (answer, Check.VERIFIED)


@pytest.mark.parametrize("script", ["!run print('print(1)') !say done"], indirect=True)
async def test_a_program_that_prints_a_program_has_an_outcome(solve: Solve, script: str) -> None:
    *_, last = await solve("Solve 2x + 3 = 10 for x.")
    assert isinstance(last, Finished)
    assert last.check is Check.NONE
    assert "print(1)" in last.text

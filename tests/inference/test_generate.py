from collections.abc import AsyncGenerator

import pytest

from inference.chat_attempt import ChatAttempt, compose
from inference.emitter import merge_events
from inference.engines.base import (
    BadRequest,
    Chunk,
    PromptTooLong,
    Request,
    UnsupportedRequest,
    Usage,
)
from inference.engines.scripted import ScriptedEngine, tokenize
from jobqueue.history import LoadedHistory
from jobqueue.schema import (
    Attachment,
    Delta,
    Finished,
    FinishReason,
    Job,
    ReasoningDelta,
    Sampling,
    Turn,
)
from tests.jobqueue.support import make_job

SYSTEM = "be brief"


class Past:
    """A channel's turns, cut by count only where a budget asks for it."""

    def __init__(self, *turns: Turn) -> None:
        self.turns = turns
        self.before = turns  # what a question is answered after
        self.budgets: list[int | None] = []

    async def load(
        self, channel: str, budget_tokens: int | None, parent: str | None
    ) -> LoadedHistory:
        self.budgets.append(budget_tokens)
        return LoadedHistory(self.before, omitted=2, parent="j2")

    async def get_turn(self, channel: str, job: str) -> Turn | None:
        return next((turn for turn in self.turns if turn.job == job), None)


def turn(number: int, words: int = 3) -> Turn:
    return Turn(
        job=f"j{number}",
        user="ada",
        user_name="Ada",
        prompt=f"q{number}",
        answer="word " * words,
    )


def job(prompt: str = "what?", **fields: object) -> Job:
    return make_job("j9", prompt=prompt, **fields)


async def test_messages_are_persona_turns_and_question_in_order() -> None:
    prompt = await compose(job(), Past(turn(1), turn(2)), ScriptedEngine(), system=SYSTEM)
    roles = [message.role for message in prompt.messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert prompt.messages[0].content == SYSTEM
    assert [m.content for m in prompt.messages if m.role == "user"] == ["q1", "q2", "what?"]


async def test_a_jobs_own_persona_replaces_the_services() -> None:
    prompt = await compose(job(system="a pirate"), Past(), ScriptedEngine(), system=SYSTEM)
    assert prompt.messages[0].content == "a pirate"


async def test_the_oldest_turns_are_dropped_to_fit_and_counted() -> None:
    engine = ScriptedEngine(context_tokens=100)
    past = Past(*(turn(n, words=10) for n in range(1, 9)))
    prompt = await compose(job(), past, engine, system=SYSTEM)
    kept = [message.content for message in prompt.messages if message.role == "user"]
    assert kept == ["q4", "q5", "q6", "q7", "q8", "what?"][-len(kept) :]
    assert 1 < len(kept) < 9
    assert prompt.omitted_turns == 2 + 9 - len(kept)
    assert await engine.count_tokens(prompt.messages) <= 75  # a quarter is the answer's


async def test_a_short_answer_leaves_more_room_to_the_past() -> None:
    engine, past = ScriptedEngine(context_tokens=100), Past(*(turn(n, 8) for n in range(9)))
    long = await compose(job(), past, engine, system=SYSTEM)
    short = await compose(job(sampling=Sampling(max_tokens=2)), past, engine, system=SYSTEM)
    assert len(short.messages) > len(long.messages)


async def test_the_question_is_never_dropped_and_its_tokens_are_its_own() -> None:
    past = Past()
    question = "word " * 19 + "end"
    prompt = await compose(job(question), past, ScriptedEngine(context_tokens=30), system=SYSTEM)
    assert prompt.messages[-1].content == question
    assert prompt.question_tokens == len(tokenize(question))
    assert past.budgets == [0]


async def test_a_question_beyond_the_context_is_too_long() -> None:
    with pytest.raises(PromptTooLong):
        await compose(job("word " * 40), Past(), ScriptedEngine(context_tokens=30), system=SYSTEM)


async def test_a_picture_without_words_is_unsupported() -> None:
    picture = Attachment(sha256="0" * 64, name="a.png", media_type="image/png", size=1)
    with pytest.raises(UnsupportedRequest):
        await compose(job("  ", attachments=(picture,)), Past(), ScriptedEngine(), system=SYSTEM)


async def test_events_are_deltas_and_one_finished_with_everything() -> None:
    asked = job("hello")
    engine = ScriptedEngine()
    prompt = await compose(asked, Past(turn(1)), engine, system=SYSTEM)
    answer = ChatAttempt(asked, 1, prompt, engine)
    *deltas, last = [event async for event in answer.events()]
    assert isinstance(last, Finished)
    assert all(isinstance(event, Delta) for event in deltas)
    assert "".join(d.text for d in deltas if isinstance(d, Delta)) == last.text
    assert last.text == "[turn 2] hello"
    assert last.omitted_turns == 2
    assert last.prompt_tokens == await engine.count_tokens(prompt.messages)

    kept = answer.turn(last)
    assert (kept.job, kept.prompt, kept.answer) == ("j9", "hello", last.text)
    assert (kept.prompt_tokens, kept.completion_tokens) == (2, last.completion_tokens)


async def test_an_answer_cut_short_keeps_what_was_said() -> None:
    asked = job("one two three")
    engine = ScriptedEngine()
    prompt = await compose(asked, Past(), engine, system=SYSTEM)
    answer = ChatAttempt(asked, 1, prompt, engine)
    events = answer.events()
    first = await anext(events)
    await events.aclose()
    finished = await answer.cut_short(FinishReason.CANCELLED)
    assert isinstance(first, Delta)
    assert finished.text == first.text
    assert finished.reason is FinishReason.CANCELLED
    assert finished.completion_tokens == 1


# --- branches and continued answers ------------------------------------------------------------


async def test_a_turn_tells_what_it_follows_only_where_its_job_does() -> None:
    engine = ScriptedEngine()
    for asked, expected in ((None, None), ("j1", "j2"), ("", "j2")):
        question = job(parent=asked)
        answer = ChatAttempt(
            question, 1, await compose(question, Past(), engine, system=""), engine
        )
        assert answer.turn(Finished(text="yes")).parent == expected


async def test_a_continued_answer_is_the_whole_one_in_the_end() -> None:
    engine, prompt = ScriptedEngine(), "!tokens 60"
    first = job(prompt, sampling=Sampling(max_tokens=25))
    cut = ChatAttempt(first, 1, await compose(first, Past(), engine, system=""), engine)
    *_, half = [event async for event in cut.events()]
    assert isinstance(half, Finished)
    assert half.reason is FinishReason.LENGTH

    again = job(prompt, id="j10", continues="j9", parent="")
    past = Past(cut.turn(half))
    past.before = ()
    whole = ChatAttempt(again, 1, await compose(again, past, engine, system=""), engine)
    begun, *_, end = [event async for event in whole.events()]
    assert begun == Delta(text=half.text)
    assert isinstance(end, Finished)
    assert end.text == f"[turn 1] {prompt}" + "".join(f" word{n + 1}" for n in range(54))
    assert end.completion_tokens == 35
    assert whole.turn(end).completion_tokens == 60


async def test_an_answer_that_is_forgotten_cannot_be_continued() -> None:
    with pytest.raises(BadRequest):
        await compose(job(continues="gone"), Past(), ScriptedEngine(), system="")


# --- reasoning -----------------------------------------------------------------------------------


async def test_reasoning_is_told_apart_and_not_remembered() -> None:
    asked = job("q !think let me see !say it is 4", thinking=True)
    engine = ScriptedEngine()
    answer = ChatAttempt(asked, 1, await compose(asked, Past(), engine, system=""), engine)
    *events, last = [event async for event in answer.events()]
    assert "".join(e.text for e in events if isinstance(e, ReasoningDelta)) == "let me see"
    assert "".join(e.text for e in events if isinstance(e, Delta)) == "it is 4"
    assert isinstance(last, Finished)
    assert (last.text, answer.turn(last).answer) == ("it is 4", "it is 4")


class Lines(ScriptedEngine):
    """Says what it is given, a line a chunk."""

    def __init__(self, *pieces: str) -> None:
        super().__init__()
        self._pieces = pieces

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        for piece in self._pieces:
            yield Chunk(piece)
        yield Chunk("", FinishReason.STOP, Usage(1, len(self._pieces)))


async def test_what_turns_out_to_be_reasoning_is_taken_back() -> None:
    engine = Lines("The user greets me,", " I greet back.\n", "</think>\n\n", "Hello", " there!")
    answer = ChatAttempt(job(), 1, await compose(job(), Past(), engine, system=""), engine)
    *events, last = [event async for event in answer.events()]
    draft = ""
    for event in merge_events(events):
        if isinstance(event, Delta):
            draft = event.text if event.anew else draft + event.text
    assert draft == "Hello there!"
    thoughts = "".join(e.text for e in events if isinstance(e, ReasoningDelta))
    assert thoughts == "The user greets me, I greet back."
    assert isinstance(last, Finished)
    assert (last.text, answer.turn(last).answer) == ("Hello there!", "Hello there!")


async def test_a_model_that_has_no_mode_for_it_gets_no_reasoning() -> None:
    asked = job("hello", thinking=True)
    engine = ScriptedEngine()
    answer = ChatAttempt(asked, 1, await compose(asked, Past(), engine, system=SYSTEM), engine)
    events = [event async for event in answer.events()]
    assert not any(isinstance(event, ReasoningDelta) for event in events)
    assert isinstance(events[-1], Finished)
    assert events[-1].text == "[turn 1] hello"

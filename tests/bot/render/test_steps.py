"""Every view of an answer's steps fits its message, whatever a model thinks, writes and prints."""

import re
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from bot.agent_trace import NOTHING, AgentTrace, Step, Thinking
from bot.i18n import words
from bot.render import steps_text
from bot.render.split import MESSAGE_UNITS, units
from jobqueue.schema import (
    Attachment,
    CallStatus,
    Delta,
    ReasoningDelta,
    Started,
    ToolCallDelta,
    ToolResult,
)
from tests.bot.render.writing import texts

SAY = words()

lines = st.text(st.sampled_from("ab `~|>*_[]()\n好🏽$\\#-"), max_size=300)
anything = st.one_of(texts, lines, st.just("x" * 5_000), st.just("line\n" * 400))
figure = Attachment(sha256="0" * 64, name="f.png", media_type="image/png", size=1)
thoughts = st.builds(
    Thinking, text=anything, began_ms=st.just(0), ended_ms=st.integers(0, 10_000_000)
)
calls = st.builds(
    Step,
    number=st.integers(1, 99),
    tool=st.one_of(st.just("python"), lines),
    call=anything,
    status=st.sampled_from([None, *CallStatus]),
    output=anything,
    figures=st.lists(st.just(figure), max_size=3).map(tuple),
    duration_ms=st.integers(0, 10_000_000),
    asks=st.integers(0, 1),
)
works = st.builds(
    AgentTrace, parts=st.lists(st.one_of(thoughts, calls), min_size=1, max_size=12).map(tuple)
)


def ticks(text: str) -> int:
    return len(re.findall("```", text))


@given(works)
def test_before_the_answer_all_of_it_fits_one_message(work: AgentTrace) -> None:
    shown = steps_text.describe_live(work, SAY, answering=False)
    assert 0 < units(shown) <= MESSAGE_UNITS
    assert ticks(shown) % 2 == 0


@given(works.filter(lambda work: not work.awaiting_approval))
def test_folded_it_is_a_few_lines_and_no_code_block(work: AgentTrace) -> None:
    shown = steps_text.describe_live(work, SAY, answering=True)
    assert 0 < len(shown.split("\n")) <= steps_text.FOLDED
    assert all(line.startswith("-# ") for line in shown.split("\n"))
    assert units(shown) <= MESSAGE_UNITS // 2
    assert "```" not in shown


@given(works)
def test_every_page_fits_a_message_and_its_blocks_end_in_it(work: AgentTrace) -> None:
    for page in steps_text.paginate_steps(work, SAY):
        assert 0 < units(page) <= MESSAGE_UNITS
        assert ticks(page) % 2 == 0


def test_pages_hold_all_of_a_program() -> None:
    program = "\n".join(f"print({number})" for number in range(900))
    step = Step(1, "python", call=program, status=CallStatus.OK, output="899")
    pages = steps_text.paginate_steps(AgentTrace((step,)), SAY)
    assert len(pages) > 2
    assert re.findall(r"print\((\d+)\)", "".join(pages)) == [str(n) for n in range(900)]


def test_an_error_is_its_last_line_while_the_next_program_is_written() -> None:
    failed = Step(1, "python", "a", CallStatus.FAILED, "Traceback\nNameError: a", duration_ms=40)
    work = AgentTrace((failed, Step(2, "python", "b = 1")))
    assert steps_text.describe_live(work, SAY, answering=False) == (
        "-# ⚠️ **1** · Python · 0.1 s → `NameError: a`\n-# ⏳ **2** · Python\n```python\nb = 1\n```"
    )


def test_what_a_person_decides_on_is_open_even_below_an_answer() -> None:
    work = AgentTrace((Step(1, "python", "a = 1", asks=1),))
    assert "a = 1" in steps_text.describe_live(work, SAY, answering=True)


def test_a_failure_that_is_the_newest_is_being_repaired() -> None:
    work = AgentTrace((Step(1, "python", "a", CallStatus.TIMEOUT),))
    assert steps_text.describe_live(work, SAY, answering=False).endswith("The model repairs it…")
    assert "took too long" in steps_text.describe_live(work, SAY, answering=True)


@dataclass
class _Said:
    work: AgentTrace = NOTHING

    def after(
        self, at_ms: int, *events: Started | ReasoningDelta | ToolCallDelta | ToolResult | Delta
    ) -> AgentTrace:
        for event in events:
            self.work = self.work.with_event(event, at_ms)
        return self.work


def test_events_add_up_to_thoughts_and_steps() -> None:
    said = _Said()
    said.after(1_000, Started(attempt=1))
    said.after(2_000, ReasoningDelta(text="Let me "))
    said.after(
        5_000, ReasoningDelta(text="see."), ToolCallDelta(step=1, tool="python", text="print(")
    )
    returned = ToolResult(step=1, status=CallStatus.OK, text="1", figures=(figure,), duration_ms=9)
    work = said.after(
        6_000, ToolCallDelta(step=1, tool="python", text="1)"), returned, Delta(text="1")
    )
    assert work.parts == (
        Thinking("Let me see.", 2_000, 5_000),
        Step(1, "python", "print(1)", CallStatus.OK, "1", (figure,), 9),
    )
    assert (work.took_ms, work.thought_ms, work.kind) == (5_000, 3_000, "steps")
    assert said.after(7_000, Started(attempt=2)).parts == ()


def test_a_step_that_nobody_is_at_any_more_does_not_wait() -> None:
    work = AgentTrace((Step(1, "python", "a = 1"),))
    assert steps_text.fold_steps(work, SAY) == ["-# ⏳ **1** · Python"]
    assert steps_text.fold_steps(work.as_ended(), SAY) == ["-# ⏹️ **1** · Python"]


def test_a_thought_that_became_the_answer_is_no_thought() -> None:
    work = AgentTrace((Thinking("It is 4. ", 0, 0),))
    assert work.without_answer("It is 4.") == NOTHING
    assert work.without_answer("It is 5.") == work

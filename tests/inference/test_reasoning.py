"""Reasoning is told from the answer, whichever marks a model writes it between."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.reasoning import is_unopened, split

HARMONY = (
    "<|channel|>analysis<|message|>hm<|end|>"
    "<|start|>assistant<|channel|>final<|message|>Hello<|return|>"
)
WRITTEN = {
    "<think>\nhm\n</think>\n\nHello": ("hm", "Hello"),
    "hm</think>Hello": ("hm", "Hello"),
    "hm, I greet back.\n</think>\n\nHello": ("hm, I greet back.", "Hello"),
    "</think>\n\nHello": ("", "Hello"),
    "<think>\n\n</think>\n\nHello": ("", "Hello"),
    "<thinking>hm</thinking>Hello": ("hm", "Hello"),
    "hm</thinking>Hello": ("hm", "Hello"),
    "[THINK]hm[/THINK]Hello": ("hm", "Hello"),
    "hm[/THINK]Hello": ("hm", "Hello"),
    "<thought>hm</thought>Hello": ("hm", "Hello"),
    "<Think>hm</THINK>Hello": ("hm", "Hello"),
    "<think>hm</thinking>Hello": ("hm", "Hello"),
    "<reasoning>hm</reasoning>\n<answer>Hello</answer>": ("hm", "Hello"),
    "<seed:think>hm</seed:think>Hello": ("hm", "Hello"),
    "◁think▷hm◁/think▷Hello": ("hm", "Hello"),
    "<|begin_of_thought|>hm<|end_of_thought|><|begin_of_solution|>Hello<|end_of_solution|>": (
        "hm",
        "Hello",
    ),
    "<|START_THINKING|>hm<|END_THINKING|><|START_RESPONSE|>Hello<|END_RESPONSE|>": ("hm", "Hello"),
    "<|channel>thought\nhm<channel|>Hello": ("hm", "Hello"),
    HARMONY: ("hm", "Hello"),
    "<|channel|>analysis\nhm\n<|channel|>final\nHello": ("hm", "Hello"),
    "hm<|end|><|start|>assistant<|channel|>final<|message|>Hello": ("hm<|end|>", "Hello"),
    "analysisWe greet.assistantfinalHello": ("We greet.", "Hello"),
    # Several blocks.
    "<think>hm</think>\n<think>oh</think>\n\nHello": ("hm\n\noh", "Hello"),
    "<think>hm</think>Hello <think>oh</think>there": ("hm\n\noh", "Hello there"),
    "Hello!\n<think>hm</think>\nIt is 4.": ("hm", "Hello!\nIt is 4."),
    "Hello! <think>hm</think>It is 4.": ("hm", "Hello! It is 4."),
    "你好。<think>嗯</think>答案是四。": ("嗯", "你好。答案是四。"),
    "<think>a</think>first try</think>Hello": ("a\n\nfirst try", "Hello"),
    # No end.
    "<think>hm, and": ("hm, and", ""),
    "<think>a</think>Hello\n<think>and then": ("a\n\nand then", "Hello\n"),
    "<|channel|>analysis<|message|>hm": ("hm", ""),
    # An end too many.
    "<think>a</think>Hello</think>": ("a", "Hello"),
    # What is talked about.
    "Models write <think> and </think> around it.": (
        "",
        "Models write <think> and </think> around it.",
    ),
    "Write `</think>` at its end.": ("", "Write `</think>` at its end."),
    'Write "</think>" at its end.': ("", 'Write "</think>" at its end.'),
    "So:\n```\n<think>\nhm\n</think>\n```\nThat is all.": (
        "",
        "So:\n```\n<think>\nhm\n</think>\n```\nThat is all.",
    ),
    'He says "hi"</think>Hello': ('He says "hi"', "Hello"),
    "First ```python\nx = 1\n``` runs\n</think>\nHello": (
        "First ```python\nx = 1\n``` runs",
        "Hello",
    ),
    # No reasoning.
    "3 < 4 and [x] and <b>": ("", "3 < 4 and [x] and <b>"),
    "analysis of the data": ("", "analysis of the data"),
    " Hello\n": ("", " Hello\n"),
}
MARKS = (
    *("<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]", "`", "```\n"),
    *("<|channel|>analysis", "<|message|>", "<|end|>", "<|start|>assistant", "<|channel|>final"),
    *("Hello", " ", "\n", ". ", '"', "<", "analysis", "assistantfinal", "答", "<tool_call>"),
)


@pytest.mark.parametrize("text", WRITTEN)
def test_reasoning_is_no_answer(text: str) -> None:
    assert split(text, ended=True) == WRITTEN[text]


@pytest.mark.parametrize("text", WRITTEN)
def test_however_a_stream_is_cut_nothing_of_a_mark_is_shown(text: str) -> None:
    thought, answer = WRITTEN[text]
    for cut in range(len(text)):
        early_thought, early = split(text[:cut], ended=False)
        assert thought.startswith(early_thought)
        assert answer.startswith(early) or early.strip() in thought


@given(text=st.lists(st.sampled_from(MARKS), max_size=12).map("".join), data=st.data())
def test_what_is_told_apart_grows_or_becomes_reasoning(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    early_thought, early = split(text[:cut], ended=False)
    thought, answer = split(text, ended=True)
    assert thought.startswith(early_thought)
    assert answer.startswith(early) or " ".join(early.split()) in " ".join(thought.split())


def test_a_call_ends_the_search_for_reasoning() -> None:
    call = '<tool_call>{"text": "a</think>b"}</tool_call>'
    assert split(f"So. {call}", ended=True, stop=re.compile("<tool_call>")) == ("", f"So. {call}")


@pytest.mark.parametrize(
    ("text", "unopened"),
    [("hm</think>Hello", True), ("<think>hm</think>Hello", False), ("Hello", False)],
)
def test_a_block_without_its_beginning_is_known(text: str, unopened: bool) -> None:
    assert is_unopened(text) is unopened


@pytest.mark.parametrize(
    "text",
    [
        *("<" * 100_000, "<think>" * 14_000, "x</think>" * 11_000, "<think>a</think>" * 6_000),
        *("`<think>" * 12_000, "Models <think> " * 7_000, "<b>x</b>\n" * 11_000, "[T" * 50_000),
        *("◁" * 100_000, "analysisA" + "assistant" * 11_000, "```\n</think>" * 8_000),
    ],
    ids=lambda text: text[:12],
)
def test_reading_hostile_text_takes_time_in_proportion_to_it(text: str) -> None:
    began = time.perf_counter()
    split(text, ended=False, stop=re.compile("<tool_call>"))
    assert time.perf_counter() - began < 5

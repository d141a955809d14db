"""Every tool parser, for every way a reply may be cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.tool_parsers import TOOL_PARSERS, of_model
from inference.tool_parsers.base import ParsedOutput, ToolRequest

PROGRAM = 'print("é\\n", 2)\nx = {"a": 1}'
ESCAPED = r"print(\"\u00e9\\n\", 2)\nx = {\"a\": 1}"

REPLIES = {
    "hermes": (
        "Let me see.\n"
        f'<tool_call>\n{{"name": "python", "arguments": {{"program": "{ESCAPED}"}}}}\n</tool_call>'
    ),
    "internlm": (
        "Let me see.\n<|action_start|><|interpreter|>\n"
        f"```python\n{PROGRAM}\n```\n<|action_end|>\nand more"
    ),
    "fences": f"Let me see.\n```python\n{PROGRAM}\n```\nIt prints 2.",
}
MARKS = (
    *("<tool_call>", "</tool_call>", "<think>", "</think>", "```python\n", "\n```", "`", "<"),
    *("<|action_start|>", "<|interpreter|>", "<|plugin|>", "<|action_end|>", "\n", " ", "x = 1"),
    *(
        '{"name": "python", "arguments": {"program": "',
        '"}}',
        "\\",
        "\\ud83d",
        "\\ude00",
        "答",
        "é",
    ),
    *('{"name": "convert", "parameters": {"value": 1}}', 'solve("x = 1")'),
)


@pytest.mark.parametrize("name", REPLIES)
def test_a_call_is_read(name: str) -> None:
    reply = TOOL_PARSERS[name].read(REPLIES[name], ended=True)
    assert reply.text.strip() == "Let me see."
    assert reply.call == ToolRequest("python", PROGRAM, True, {"program": PROGRAM})


@pytest.mark.parametrize("name", REPLIES)
def test_reasoning_is_apart_from_what_is_said(name: str) -> None:
    reply = TOOL_PARSERS[name].read(
        f"<think>\nhm, <tool_call>?\n</think>\n\n{REPLIES[name]}", ended=True
    )
    assert reply.thought == "hm, <tool_call>?"
    assert reply.call is not None
    assert reply.call.arguments == {"program": PROGRAM}


@given(text=st.lists(st.sampled_from(MARKS), max_size=14).map("".join), data=st.data())
def test_what_is_read_only_grows(text: str, data: st.DataObject) -> None:
    """So a stream is the same however it is cut, and nothing that was shown is taken back."""
    tool_parser = TOOL_PARSERS[data.draw(st.sampled_from(sorted(TOOL_PARSERS)))]
    cut = data.draw(st.integers(0, len(text)))
    early, late = tool_parser.read(text[:cut], ended=False), tool_parser.read(text, ended=True)
    assert late.thought.startswith(early.thought)
    if not late.text.startswith(early.text):  # then it was reasoning that only its end tells of
        assert "</think>" in text
        assert early.text.strip() in late.thought
        return
    if early.call is not None:
        assert late.call is not None
        assert early.call.tool in ("", late.call.tool)
        assert late.call.fault or late.call.text.startswith(early.call.text)
    if early.call is not None and early.call.complete:
        assert late.call == early.call


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("hermes", '<tool_call>{"name": "python", "arguments": print(1)}</tool_call>', "JSON"),
        ("hermes", "<tool_call>print(1)</tool_call>", "JSON"),
        ("hermes", '<tool_call>{"name": "python"}</tool_call>', "'arguments' is missing"),
        ("hermes", '<tool_call>{"name": "python", "arguments": "1"}</tool_call>', "JSON"),
        ("hermes", '<tool_call>{"name": "python", "arguments": {"program": "1', "JSON"),
        ("internlm", "<|action_start|><|plugin|>print(1)<|action_end|>", "JSON"),
        ("internlm", "<|action_start|>print(1)<|action_end|>", "an action is"),
        ("internlm", "<|action_start|><|interpreter|>\n<|action_end|>", "empty"),
        ("forms", '```python\nsolve("2x + 3")\n```', "equations"),
        ("forms", "```python\nsolve('2x + = 3')\n```", "not an expression"),
        ("forms", "```python\nif:\n```", "not Python"),
    ],
)
def test_what_is_not_a_call_has_a_fault_and_no_arguments(name: str, text: str, why: str) -> None:
    call = TOOL_PARSERS[name].read(text, ended=True).call
    assert call is not None
    assert call.complete
    assert call.arguments is None
    assert why in call.fault


def test_a_plugin_call_has_its_own_word_for_arguments() -> None:
    text = (
        '<|action_start|><|plugin|>\n{"name": "convert", "parameters": {"value": 3}}<|action_end|>'
    )
    call = TOOL_PARSERS["internlm"].read(text, ended=True).call
    assert call == ToolRequest("convert", '{"value": 3}', True, {"value": 3})


def test_plain_words_are_an_answer_with_every_tool_parser() -> None:
    for tool_parser in TOOL_PARSERS.values():
        assert tool_parser.read("It is 4 < 5.", ended=True) == ParsedOutput("", "It is 4 < 5.")


def test_a_form_becomes_a_whole_program() -> None:
    call = TOOL_PARSERS["forms"].read('```python\nsolve("2x + 3 = 10")\n```', ended=False).call
    assert call is not None
    assert "left, right = 2 * x + 3, 10" in call.text
    assert call.arguments == {"program": call.text}


@pytest.mark.parametrize(
    ("model", "tool_parser"),
    [
        ("InternLM3-8B-Instruct", "internlm"),
        ("internlm/internlm2_5-7b-chat", "internlm"),
        ("Qwen/Qwen3-8B", "hermes"),
        ("Qwen2.5-Coder-0.5B-Instruct", "forms"),
        ("SmolLM2-135M-Instruct", "forms"),
        ("Mistral-7B-Instruct-v0.3", "fences"),
        ("scripted", "hermes"),
    ],
)
def test_a_models_name_tells_its_tool_parser(model: str, tool_parser: str) -> None:
    assert of_model(model).name == tool_parser

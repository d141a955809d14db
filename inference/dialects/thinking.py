"""Reasoning that a model marks as such: `<think>…</think>` before the answer.

Qwen3, DeepSeek-R1 and their like write it so, and InternLM3 when it is asked to. Only what a
reply begins with is reasoning; the same tags further on are something that is talked about.
"""

from inference.dialects.base import held_back

OPEN, CLOSE = "<think>", "</think>"

# For InternLM3, whose template has no switch: its models reason at length when they are told to.
ASKED = (
    "Think before you answer: analyse the question deeply, consider several ways, check each step "
    "and your result. Write all of this reasoning between <think> and </think>, and after it the "
    "answer alone."
)


def split(text: str, *, ended: bool) -> tuple[str, str]:
    """The reasoning, and the text after it; see `dialects.base` for how they grow."""
    body = text.lstrip()
    if not body.startswith(OPEN):
        undecided = OPEN.startswith(body) and not ended
        return "", "" if undecided else text
    inside = body[len(OPEN) :].lstrip("\n")
    thought, closed, rest = inside.partition(CLOSE)
    if closed:
        return thought.rstrip(), rest.lstrip()
    certain = thought if ended else thought[: held_back(thought, (CLOSE,))]
    return certain.rstrip(), ""

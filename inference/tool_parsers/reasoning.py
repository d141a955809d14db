"""Prompts that make a model show its reasoning where its template has no switch."""

from inference.reasoning import split

__all__ = ["ASKED", "split"]

# For InternLM3, whose template has no switch: its models reason at length when they are told to.
ASKED = (
    "Think before you answer: analyse the question deeply, consider several ways, check each step "
    "and your result. Write all of this reasoning between <think> and </think>, and after it the "
    "answer alone."
)

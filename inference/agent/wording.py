"""What an agent says: to a model that is to try again, and as the answer."""

import re
from collections.abc import Mapping

from inference.dialects.forms import fenced
from inference.maths.reading import Reading
from inference.tools.base import Outcome

PROGRAM_WANTED = "Write a program that computes this and prints the result."
MAX_BOXED = 300
MAX_LINE = 160

_BOXED = re.compile(r"\\boxed\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")


def attached(files: Mapping[str, bytes]) -> str:
    """For a prompt: how programs open the files, and how each begins."""
    return "\n".join(
        f"Attached file {name!r}, begins with: {_first_line(data)!r}"
        for name, data in files.items()
    )


def _first_line(data: bytes) -> str:
    return data[:MAX_LINE].decode("utf-8-sig", "replace").partition("\n")[0].strip()


def refuted(reading: Reading | None) -> str:
    hint = f"\n\nThe question, read word for word:\n{fenced(reading.form)}" if reading else ""
    return f"A check shows that this result is wrong. Compare it with the question.{hint}"


def answer(said: str, outcome: Outcome | None, latex: str) -> str:
    """The model's words, and in a box what the program printed: never another result."""
    if outcome is None:
        return said.strip()
    words = _BOXED.sub(r"\1", said).strip()
    result = _result(outcome, latex)
    return "\n\n".join(part for part in (words, result) if part)


def _result(outcome: Outcome, latex: str) -> str:
    printed = outcome.text.strip()
    if latex:
        return f"$$\\boxed{{{latex}}}$$"
    if printed and len(printed) <= MAX_BOXED and len(printed.splitlines()) == 1:
        return f"**{printed}**"
    return f"```\n{printed}\n```" if printed else ""

"""The numbers of a problem, to solve it again with others."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MOST = 5  # that a form holds
LONGEST = 20  # characters of a new one
LABEL = 45  # Discord's limit
AROUND = 14  # characters beside a number, by which people know it

_NUMBER = re.compile(r"(?<![A-Za-z_\d.])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)")
# Quoted material begins with a title and a code fence.
_MATERIAL = re.compile(r'\n\n(?=(?:File "|Messages? |Thread )[^\n]*:\n```)')


@dataclass(frozen=True)
class ProblemNumber:
    start: int
    text: str
    label: str  # with what stands beside it

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def split_prompt(prompt: str) -> tuple[str, str]:
    """Split a prompt into the person's question and the text that is read with it."""
    problem, *material = _MATERIAL.split(prompt, 1)
    return problem, "".join(material)


def find_numbers(problem: str) -> list[ProblemNumber]:
    """Return the first numbers in their order. `x2` contains none."""
    found = (_create_number(match, problem) for match in _NUMBER.finditer(problem))
    return [number for number, _ in zip(found, range(MOST), strict=False)]


def replace_numbers(problem: str, values: Mapping[int, str]) -> str:
    """Return the problem with new values, by the index of the number that each replaces."""
    new = problem
    for place, number in reversed(list(enumerate(find_numbers(problem)))):
        value = " ".join(values.get(place, "").split())[:LONGEST]
        new = new[: number.start] + (value or number.text) + new[number.end :]
    return new


def describe_changes(problem: str, values: Mapping[int, str]) -> str:
    """Return the changes as `3 → 5, 7 → 8`, or "" without any."""
    pairs = (
        (number.text, values.get(at, "").strip()) for at, number in enumerate(find_numbers(problem))
    )
    return ", ".join(f"{old} → {new[:LONGEST]}" for old, new in pairs if new and new != old)


def _create_number(found: re.Match[str], problem: str) -> ProblemNumber:
    before = problem[max(found.start() - AROUND, 0) : found.start()]
    after = problem[found.end() : found.end() + AROUND]
    label = " ".join(f"{before}«{found[0][:LONGEST]}»{after}".split())
    return ProblemNumber(found.start(), found[0], label[:LABEL])

"""Splits a question into its words and the runs of mathematics between them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from inference.maths.expression_parser import CONSTANTS, FUNCTIONS


@dataclass(frozen=True, slots=True)
class Parts:
    words: frozenset[str]
    runs: tuple[str, ...]  # of mathematics, in their order


_WORD = r"[A-Za-z]{2,}(?:'[a-z]+)?"
_ITEM = re.compile(rf"({_WORD})|([\u3400-\u9fff]+)|(\d+(?:\.\d+)?|\.\d+|->|\*\*|[<>!]=|\S)|\s+")
_DIGITS = r"(?<!\d)\d++"
_CALLED = re.compile(r"\s*\(")
_SEPARATORS = ",;:?。、."


def words_to_signs(text: str) -> str:
    """Mathematics that is said in words, written in signs."""
    for pattern, written in (
        (rf"({_DIGITS}|[a-zA-Z])\s*+的\s*(\d+)\s*次方", r"(\1)^(\2)"),
        (rf"({_DIGITS}|[a-zA-Z])\s*+的平方根", r"sqrt(\1)"),
        (r"(?:the )?square root of (\d+(?:\.\d+)?)", r"sqrt(\1)"),
        (rf"({_DIGITS}|[a-zA-Z]) squared\b", r"(\1)^2"),
        (rf"({_DIGITS}|[a-zA-Z]) cubed\b", r"(\1)^3"),
        (r"(?<=\d) (?:times|multiplied by) (?=[\d(])", " * "),
        (r"(?<=\d) plus (?=[\d(])", " + "),
        (r"(?<=\d) minus (?=[\d(])", " - "),
        (r"(?<=\d) divided by (?=[\d(])(?!.*remainder)", " / "),
        (r"(?i)\bd/d([a-z])\b", r"differentiate \1, "),
        (r"(?i)\bint\b|∫", " integral "),
    ):
        text = re.sub(pattern, written, text)
    return text


def parts(text: str, phrases: Sequence[str]) -> Parts | None:
    """`phrases` are what Chinese may be made of, longest first; None where one is unknown."""
    words: set[str] = set()
    runs: list[list[str]] = []
    open_run = False
    depth = 0
    text = _without_articles(text)
    for item in _ITEM.finditer(text):
        word, chinese, sign = (group or "" for group in item.groups())
        applied = word in FUNCTIONS and _CALLED.match(text, item.end())
        if word and not applied and word not in CONSTANTS:
            words.add(word.lower())
            open_run = False
        elif chinese:
            known = _chinese(chinese, phrases)
            if known is None:
                return None
            words |= known
            open_run = False
        elif sign and sign in _SEPARATORS and not (depth and sign == ","):
            open_run = False
        elif word or sign:
            depth += (sign == "(") - (sign == ")")
            if not open_run:
                runs.append([])
            runs[-1].append(word or sign)
            open_run = True
    return Parts(frozenset(words), tuple(map(" ".join, runs)))


def _without_articles(text: str) -> str:
    return re.sub(r"\b(?:a|A|an|I)\b(?= +[a-z]{2,})", " ", text)


def _chinese(text: str, phrases: Sequence[str]) -> set[str] | None:
    """The phrases that `text` is made of; None where one is unknown."""
    found: set[str] = set()
    at = 0
    while at < len(text):
        phrase = next((each for each in phrases if text.startswith(each, at)), None)
        if phrase is None:
            return None
        found.add(phrase)
        at += len(phrase)
    return found

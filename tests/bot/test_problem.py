"""The numbers of a problem, and the problem with others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.problem_numbers import (
    LABEL,
    MOST,
    describe_changes,
    find_numbers,
    replace_numbers,
    split_prompt,
)


@pytest.mark.parametrize(
    ("problem", "found"),
    [
        ("2x + 3.5 = 11", ["2", "3.5", "11"]),
        ("小明有3个苹果，又买了12个", ["3", "12"]),
        ("1,250 m and x2 and H2O", ["1,250"]),
        ("x^2 - 5x", ["2", "5"]),
        ("Ends with 7.", ["7"]),
        ("no numbers", []),
    ],
)
def test_numbers_are_found(problem: str, found: list[str]) -> None:
    assert [number.text for number in find_numbers(problem)] == found


@given(st.text(st.sampled_from("0123456789.,- abx^\n中"), max_size=200))
def test_the_same_numbers_are_the_same_problem(problem: str) -> None:
    found = find_numbers(problem)
    assert len(found) <= MOST
    assert all(problem[number.start : number.end] == number.text for number in found)
    assert all(0 < len(number.label) <= LABEL for number in found)
    assert replace_numbers(problem, {}) == problem
    same = {place: number.text for place, number in enumerate(found)}
    assert describe_changes(problem, same) == ""


def test_a_problem_with_other_numbers() -> None:
    problem = "Solve 2x + 3 = 11"
    assert replace_numbers(problem, {0: "4", 1: "", 2: " 5/2 "}) == "Solve 4x + 3 = 5/2"
    assert describe_changes(problem, {0: "4", 1: "", 2: " 5/2 "}) == "2 → 4, 11 → 5/2"


def test_what_is_read_along_stays_as_it_is() -> None:
    assert split_prompt('Sum it\n\nFile "a.csv":\n```\n1\n```') == (
        "Sum it",
        'File "a.csv":\n```\n1\n```',
    )
    assert split_prompt("Sum it") == ("Sum it", "")

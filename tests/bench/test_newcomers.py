"""The newcomers' questions: the public set is whole, and each is asked as a chat."""

import argparse
import json

import pytest

from bench.newcomers import measure


def test_the_set_has_twenty_questions_of_each_language() -> None:
    questions = measure.load_questions()
    assert len({each.id for each in questions}) == len({q.question for q in questions}) == 40
    assert sum(each.id.startswith("en-") and each.question.isascii() for each in questions) == 20
    assert (
        sum(each.id.startswith("zh-") and not each.question.isascii() for each in questions) == 20
    )
    assert all(each.expected for each in questions)


def test_answers_and_times_are_printed_and_the_last_line_is_json(
    capsys: pytest.CaptureFixture[str],
) -> None:
    measure.run(argparse.Namespace(engine="scripted", model=None, seed=1, only="en-0"))
    out = capsys.readouterr().out
    summary = json.loads(out.splitlines()[-1])
    assert (summary["model"], summary["questions"]) == ("scripted", 9)
    assert summary["repetitions_cut"] == summary["length_limit"] == 0
    first = summary["answers"][0]
    assert first["answer"] == f"[turn 1] {first['question']}"
    assert 0 < first["first_s"] <= first["seconds"]
    assert first["answer"] in out

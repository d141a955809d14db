"""A short run of what `make discord-faults` does at length."""

from tests.faults.discord_faults import run


async def test_every_question_meets_a_fault_and_ends_in_an_answer_or_a_word() -> None:
    faults, summary = await run(40, seed=7)
    assert faults >= 40
    assert summary.is_success, summary
    assert summary.answered + summary.told == summary.asked

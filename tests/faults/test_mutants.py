"""A few of `make mutants`; all of them take minutes."""

from tests.faults.mutants import MUTANTS, ROOT, find_survivors

FEW = ("fence", "sequence", "deduplication", "channel hold", "re-mark")


def test_a_removed_guard_is_noticed() -> None:
    chosen = tuple(mutant for mutant in MUTANTS if mutant.guard in FEW)
    assert len(chosen) == len(FEW)
    assert find_survivors(chosen) == []


def test_every_patch_fits_once() -> None:
    for mutant in MUTANTS:
        text = (ROOT / "jobqueue" / mutant.file).read_text()
        assert text.count(mutant.old) == 1, mutant.guard

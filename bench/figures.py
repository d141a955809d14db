"""Numbers from samples."""

from collections.abc import Sequence


def quantile(samples: Sequence[float], q: float) -> float:
    """The smallest sample that at least the share `q` of them does not exceed."""
    ordered = sorted(samples)
    return ordered[min(int(q * len(ordered)), len(ordered) - 1)]

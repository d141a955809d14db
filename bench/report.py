"""Figures of the benchmarks: quantiles, and tables for people."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table


def quantile(samples: Sequence[float], q: float) -> float:
    """Return the smallest sample that at least the share `q` of them does not exceed."""
    ordered = sorted(samples)
    return ordered[min(int(q * len(ordered)), len(ordered) - 1)]


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, width: int = 160
) -> None:
    table = Table(title=title)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left")
    for row in rows:
        table.add_row(*map(str, row))
    Console(width=width).print(table)

"""The progress of a pull as plain values, for a terminal or a supervisor."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["preflight", "waiting", "download", "verify", "convert", "ready"]


@dataclass(frozen=True, slots=True)
class Progress:
    stage: Stage
    done: int = 0  # bytes; of `total`, where that is known
    total: int | None = None
    detail: str = ""


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report to nobody."""

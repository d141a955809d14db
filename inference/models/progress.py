"""How far a pull has come: plain values, so that a terminal and a supervisor can show them."""

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

"""The limits of a program, and the place where programs run."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Bubblewrap = Literal["auto", "require", "off"]

KIB = 1 << 10
MIB = 1 << 20

# Between the ranges that distributions, systemd and container runtimes hand out
# (systemd's table "Users, Groups, UIDs and GIDs": 60578 to 60705 is unused).
OWN_UID = 60_700


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one program may use. Everything is per program; `concurrency` programs run at once."""

    timeout_s: float = 10.0  # wall clock, from the fork
    memory_bytes: int = 512 * MIB  # new address space; what the libraries freed comes on top
    output_bytes: int = 128 * KIB  # standard output, errors, value and traceback together, UTF-8
    figures: int = 4
    figure_bytes: int = 1 * MIB  # each, as PNG
    figure_pixels: int = 4_000_000  # each, width x height
    program_bytes: int = 64 * KIB
    files: int = 8
    file_bytes: int = 16 * MIB  # all files of one program together

    def __post_init__(self) -> None:
        _within("timeout_s", self.timeout_s, 0.05, 600)
        _within("memory_bytes", self.memory_bytes, 16 * MIB, 64 * 1024 * MIB)
        _within("output_bytes", self.output_bytes, 1 * KIB, 16 * MIB)
        _within("figures", self.figures, 0, 32)
        _within("figure_bytes", self.figure_bytes, 1 * KIB, 32 * MIB)
        _within("figure_pixels", self.figure_pixels, 10_000, 100_000_000)
        _within("program_bytes", self.program_bytes, 1, 1 * MIB)
        _within("files", self.files, 0, 32)
        _within("file_bytes", self.file_bytes, 0, 1024 * MIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxConfig:
    limits: Limits = field(default_factory=Limits)
    concurrency: int = 4  # programs at once; the others wait in order
    socket: Path | None = None  # use the service behind this unix socket, start nothing here
    environment: Path | None = None  # the programs' interpreter and libraries; None: the default
    uid: int = OWN_UID  # what root becomes; user and group
    # An added layer. "auto": where it starts. What protects in any case is never optional.
    bubblewrap: Bubblewrap = "auto"

    def __post_init__(self) -> None:
        _within("concurrency", self.concurrency, 1, 64)
        _within("uid", self.uid, 1, 2**31 - 1)
        if self.bubblewrap not in ("auto", "require", "off"):
            raise ValueError(f"bubblewrap: {self.bubblewrap!r} is not auto, require or off")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}: {value} is not within {low:g} to {high:g}")

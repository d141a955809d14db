"""Errors of models on disk. Every message ends with the way out.

ModelError
├── ModelMissing        known or named, but not on this machine: pull it
│   └── UnknownModel    neither a known name nor a folder; carries suggestions
├── ModelBroken         the folder is there, but incomplete, altered or no model
└── PullFailed          it could not be brought here; nothing half-done is served
    ├── SourceUnreachable   no answer from any source within the preflight's bound
    ├── DownloadBroken      a transfer ended early, was refused or has the wrong hash
    ├── DiskFull            it would not fit; nothing was downloaded
    └── ConversionFailed    GGUF could not become safetensors
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal


class ModelError(Exception):
    """Base of everything this package raises on purpose."""


class ModelMissing(ModelError):
    """The model is not on this machine."""

    def __init__(self, name: str, way_out: str) -> None:
        super().__init__(f"{name} is not on this machine. {way_out}")
        self.name = name


class UnknownModel(ModelMissing):
    """Neither a known name nor a folder."""

    def __init__(self, name: str, suggestions: Sequence[str]) -> None:
        hint = f"Did you mean {' or '.join(suggestions)}? " if suggestions else ""
        way_out = "Known names: python -m inference models list; or give a model's folder."
        ModelError.__init__(self, f"no model or folder is called {name!r}. {hint}{way_out}")
        self.name = name
        self.suggestions = tuple(suggestions)


class ModelBroken(ModelError):
    """The folder is there, but it cannot be served."""


class PullFailed(ModelError):
    """The model could not be brought here."""


class SourceUnreachable(PullFailed):
    """No source answered in time."""


class DownloadBroken(PullFailed):
    """A transfer ended early, was refused or has the wrong hash."""


class DiskFull(PullFailed):
    """The model does not fit on the disk."""

    def __init__(self, folder: str, needed: int, free: int) -> None:
        super().__init__(
            f"{needed / 1e9:.1f} GB are needed below {folder} and {free / 1e9:.1f} GB are free. "
            "Free some space, or name another disk with COMMONROOM_MODELS."
        )
        self.needed = needed
        self.free = free


class ConversionFailed(PullFailed):
    """GGUF could not become safetensors."""


# The progress of a pull as plain values, for a terminal or a supervisor.

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

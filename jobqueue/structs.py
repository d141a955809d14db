"""Base classes of the values that cross processes."""

import msgspec

from jobqueue.errors import InvalidJob


def require_range(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise InvalidJob(name, f"{low} to {high}")


class Struct(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of everything that crosses processes."""


class Attachment(Struct, frozen=True):
    """A file that somebody posted; its bytes are in `jobqueue.blobs` under their hash."""

    sha256: str
    name: str
    media_type: str
    size: int  # bytes

"""Reads what a GGUF file says about its model: name, family and number of parameters.

The package `gguf` reads each word of a vocabulary into an array, which takes seconds for 150,000
of them. Here they are skipped.
"""

import re
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_STRING = 64 * 1024 * 1024  # bytes; a longer one is not a GGUF's
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q"}
_SCALARS |= {12: "d"}
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class GgufMetadata:
    """What the file says of its model, under the keys of the GGUF specification."""

    values: dict[str, object]  # None for an array
    parameters: int

    @property
    def name(self) -> str:
        """Return the model's own name, such as `Qwen2.5 Coder 1.5B Instruct`; empty without one."""
        return str(self.values.get("general.name", ""))

    @property
    def identity(self) -> str:
        """Return name, size and architecture: what a name of the model would tell."""
        keys = ("size_label", "basename", "name", "finetune", "architecture")
        said = [str(self.values.get(f"general.{key}", "")) for key in keys]
        # The sum is the last resort: many files store a tied output head a second time.
        counted = f"{self.parameters / 1e9:.2f}B" if self.parameters else ""
        return " ".join(filter(None, [*said, counted]))


def read_metadata(path: Path) -> GgufMetadata:
    """Read the file's head. A broken file says nothing; whoever loads it tells the reason."""
    try:
        with path.open("rb") as file:
            return _Reader(file).read()
    except (OSError, struct.error, OverflowError, KeyError, ValueError):
        return GgufMetadata({}, 0)


class _Reader:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self) -> GgufMetadata:
        if self._take(4) != MAGIC or self._integer("I") not in VERSIONS:
            raise ValueError("another format")
        tensors, count = self._integer("Q"), self._integer("Q")
        values = {}
        for _ in range(count):
            key = self._string()
            values[key] = self._value(self._integer("I"))
        return GgufMetadata(values, sum(self._tensor_size() for _ in range(tensors)))

    def _value(self, kind: int) -> object:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            self._skip_array()
            return None
        return self._scalar(_SCALARS[kind])

    def _skip_array(self) -> None:
        kind, length = self._integer("I"), self._integer("Q")
        if kind in (_STRING, _ARRAY):
            for _ in range(length):
                self._value(kind)
        else:
            self._file.seek(length * struct.calcsize(_SCALARS[kind]), 1)

    def _tensor_size(self) -> int:
        """Read a tensor's entry. Return its number of parameters."""
        self._string()
        dimensions = self._integer("I")
        shape = struct.unpack(f"<{dimensions}Q", self._take(8 * dimensions))
        self._take(4 + 8)  # its type and its place
        return prod(shape)

    def _string(self) -> str:
        return self._take(self._integer("Q")).decode("utf-8", "replace")

    def _integer(self, code: str) -> int:
        return int(self._scalar(code))

    def _scalar(self, code: str) -> float:
        value: float = struct.unpack(f"<{code}", self._take(struct.calcsize(code)))[0]
        return value

    def _take(self, size: int) -> bytes:
        if size > MAX_STRING:
            raise ValueError("a text without end")
        data = self._file.read(size)
        if len(data) != size:
            raise ValueError("the file ends within its head")
        return data


def normalize_name(name: str) -> str:
    """Return a model's name in one spelling: `Qwen2.5 Coder` and `qwen2.5-coder` are the same."""
    return re.sub(r"[^a-z0-9.]+", "-", name.casefold()).strip("-")

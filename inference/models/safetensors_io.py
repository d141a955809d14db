"""Copies tensors of a safetensors file as bytes, also of files larger than memory.

The format (https://github.com/huggingface/safetensors): eight bytes with the length of a JSON
header, the header, and then every tensor's numbers, row by row.
"""

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.models.errors import ConversionFailed

PIECE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tensor:
    name: str
    dtype: str
    shape: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]  # what of the source file it consists of, in this order

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(end - begin for begin, end in self.spans)

    def rows(self, name: str, parts: Sequence[range]) -> "Tensor":
        """A tensor of some of its rows (of its first dimension), in the order of `parts`."""
        ((begin, end),) = self.spans
        row = (end - begin) // self.shape[0]
        spans = tuple((begin + part.start * row, begin + part.stop * row) for part in parts)
        return Tensor(name, self.dtype, (sum(map(len, parts)), *self.shape[1:]), spans)


def read(path: Path) -> list[Tensor]:
    """Read the header of `path`. Raises ConversionFailed where it is invalid."""
    with path.open("rb") as file:
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else 0
        content, begin = path.stat().st_size, 8 + length
        if not 0 < begin <= content:
            raise ConversionFailed(f"{path} is no safetensors file")
        header: dict[str, Any] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return [
        Tensor(
            name,
            entry["dtype"],
            tuple(entry["shape"]),
            (tuple(begin + offset for offset in entry["data_offsets"]),),
        )
        for name, entry in header.items()
    ]


def write(
    target: Path, source: Path, tensors: Sequence[Tensor], moved: Callable[[int], None]
) -> None:
    """A new file of `tensors`, out of the bytes of `source`; `moved` is told how many at a time."""
    header = json.dumps({"__metadata__": {"format": "pt"}, **dict(_entries(tensors))}).encode()
    header += b" " * (-len(header) % 8)
    with target.open("wb") as out, source.open("rb") as file:
        out.write(struct.pack("<Q", len(header)) + header)
        for begin, end in (span for tensor in tensors for span in tensor.spans):
            file.seek(begin)
            for at in range(begin, end, PIECE):
                out.write(piece := file.read(min(PIECE, end - at)))
                moved(len(piece))


def _entries(tensors: Sequence[Tensor]) -> Iterator[tuple[str, dict[str, object]]]:
    at = 0
    for tensor in tensors:
        offsets = [at, at := at + tensor.size]
        yield tensor.name, {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": offsets}

"""The bytes of a model's weights, read from its files' headers. Needs no torch."""

import json
import math
import struct
from pathlib import Path

GIB = 1 << 30

# Bytes of a number of a matrix, embeddings aside, which stay as they are.
# FP8 layers are in bfloat16 on the card while they are loaded.
BYTES = {"": 2.0, "8bit": 1.0, "4bit": 0.53, "fp8": 2.0}


def weight_bytes(folder: Path, quantize: str = "") -> int:
    """Return the bytes of the weights in bfloat16, however they are stored, or as bitsandbytes
    quantizes them.
    """
    shapes = [shape for path in folder.glob("*.safetensors") for shape in _shapes(path)]
    # Tables of embeddings and the head are by far the longest matrices of a model.
    longest = max((shape[0] for shape in shapes if len(shape) == 2), default=0)
    small, large = BYTES[quantize], BYTES[""]
    return int(
        sum(
            math.prod(shape) * (small if len(shape) == 2 and shape[0] < longest else large)
            for shape in shapes
        )
    )


def _shapes(path: Path) -> list[list[int]]:
    """https://github.com/huggingface/safetensors#format: a length, then JSON."""
    with path.open("rb") as file:
        [length] = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return [of["shape"] for name, of in header.items() if name != "__metadata__"]

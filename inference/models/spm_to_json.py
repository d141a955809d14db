"""Converts a SentencePiece model (`tokenizer.model`) to a `tokenizer.json`.

InternLM's tokenizers come as SentencePiece and code of their own. The code is not run; the model
is read here, without protobuf's or SentencePiece's libraries.
"""

import struct
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.models.errors import ConversionFailed

SPACE = "▁"  # how SentencePiece writes a space
# Numbers of sentencepiece_model.proto.
BYTE_PAIRS = 2  # the kind of model
NORMAL = 1  # the kind of piece
NEVER_JOINED = (2, 3, 6)  # unknown, control and byte: no merge gives such a piece


FLAGS = ("lstrip", "normalized", "rstrip", "single_word", "special")


@dataclass(frozen=True, slots=True)
class Pieces:
    """The needed part of sentencepiece_model.proto."""

    pieces: tuple[str, ...]  # by id
    scores: dict[str, float]  # of those that two others may become; the best is joined first
    kind: int
    leading_space: bool  # the text gets a space in front, as every word has one


def read(path: Path) -> Pieces:
    pieces, scores, kind, leading_space = [], {}, 1, True
    for field, value in _fields(path.read_bytes()):
        if field == 1:
            parts = dict(_fields(value))
            pieces.append(parts[1].decode())
            if parts.get(3, NORMAL) not in NEVER_JOINED:
                scores[pieces[-1]] = struct.unpack("<f", parts.get(2, bytes(4)))[0]
        elif field == 2:  # how it was trained
            kind = dict(_fields(value)).get(3, 1)
        elif field == 3:  # how texts are made uniform
            leading_space = bool(dict(_fields(value)).get(3, 1))
    return Pieces(tuple(pieces), scores, kind, leading_space)


def tokenizer(pieces: Pieces, added: Mapping[int, Mapping[str, Any]]) -> Any:
    """A `tokenizers.Tokenizer` with the same ids; `added` are tokens by their ids, most of which
    stand in for a piece, as `added_tokens_decoder` in `tokenizer_config.json` lists them."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers  # noqa: PLC0415

    if pieces.kind != BYTE_PAIRS:
        raise ConversionFailed("its tokenizer is no byte-pair model")
    named = dict(enumerate(pieces.pieces)) | {
        i: str(token["content"]) for i, token in added.items()
    }
    vocabulary = {named[number]: number for number in range(len(pieces.pieces))}
    made = Tokenizer(
        models.BPE(
            vocabulary,
            merges(pieces.scores, vocabulary),
            unk_token=named[0],
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    for number, token in sorted(added.items()):
        flags = {name: token[name] for name in FLAGS if name in token}
        made.add_special_tokens([AddedToken(token["content"], **flags)])
        if made.token_to_id(token["content"]) != number:
            raise ConversionFailed(f"{token['content']} cannot have the id {number}")
    lead = [normalizers.Prepend(SPACE)] if pieces.leading_space else []
    made.normalizer = normalizers.Sequence([*lead, normalizers.Replace(" ", SPACE)])
    trim = [decoders.Strip(" ", left=1)] if pieces.leading_space else []
    made.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), *trim]
    )
    return made


def merges(scores: Mapping[str, float], vocabulary: Container[str]) -> list[tuple[str, str]]:
    """Return which two pieces become one, the first to merge first: SentencePiece joins the pair
    whose piece has the best score.
    """
    pairs = [
        (-score, piece[:cut], piece[cut:])
        for piece, score in scores.items()
        for cut in range(1, len(piece))
        if piece in vocabulary and piece[:cut] in scores and piece[cut:] in scores
    ]
    pairs.sort(key=lambda pair: (pair[0], -len(pair[1])))
    return [(left, right) for _, left, right in pairs]


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protobuf message: numbers, and bytes for everything else."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        size, at = {1: (8, at), 5: (4, at)}.get(kind) or _varint(message, at)
        yield tag >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """A number in base 128, the lowest seven bits first, and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at

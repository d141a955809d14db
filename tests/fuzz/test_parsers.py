"""Whatever comes from outside, a reader answers or raises what it says, and nothing else.

`make fuzz` gives each of them many thousand tries; in the suite they are a few.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.files.file_types import decode, kind_of
from inference.article.chart import Series, read_series, tables
from inference.article.image_requests import parse_needs
from inference.article.outline import parse_outline, title_of
from inference.article.source import parse_source
from inference.library import image_entry
from inference.maths import expression_parser, form_programs, question_parser
from inference.maths.expression_parser import NotMathematics
from inference.tool_parsers import TOOL_PARSERS
from jobqueue.schema import decode_event

# What a person or a model may write, with what parsers stumble over in between.
WORDS = (
    "x", "2", "1e9", "9" * 400, "0x", "²", "√", "½", "٣", "\\frac{1}{2}", "\\sqrt", "^", "**", "!",
    "(", ")", "[", "]", "{", "}", "=", "<=", "!=", ",", "%", "of", "->", "→", "solve(", '"', "'",
    "\\", "\n", "\t", "\0", "\ud7ff", "\u202e", "#", "lambda:", "import os", "__class__", "1_0",
    "derivative of ", "integral ", "limit ", "km to m", "多少", "f'", "()" * 120, "(" * 300,
    "-" * 400, "<tool_call>", "</tool_call>", '{"name": ', "<think>", "</think>", "```python",
    "```", "<|action_start|>", "<|interpreter|>", "<|plugin|>", "<|action_end|>",
    "\n|---|---|", "\n| a | 1,2 |", "\n| b | 3 |", "\n| c | −9e999 |", "\na;1", "\nb;2", "\n\"",
    "\n1. ", "\n# ", "\nTitle: Silk", "\nA: 5 million", "\nB: 7.", "｜", "《》", "— ", "\r",
)  # fmt: skip
WRITTEN = st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=14).map("".join)
# How files begin that are not what they seem.
MAGIC = (
    b"%PDF-1.7\n", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF",
    b"WEBP", b"\0\0\0\x18ftyp", b"heic", b"avif", b"OggS", b"ID3", b"\xef\xbb\xbf",
    b"\xff\xfe", b"\xfe\xff",
    b"word/document.xml", "汉字".encode("gb18030"), b"a,b\n1,2\n", b"\0",
)  # fmt: skip
BYTES = st.lists(st.sampled_from(MAGIC) | st.binary(max_size=8), max_size=8).map(b"".join)


def _charted(series: Series | None) -> None:
    """What a chart's program is given: JSON, of numbers that are some."""
    if series:
        again = json.loads(msgspec.json.encode(series))
        assert all(math.isfinite(value) for _, value in again["points"])


def _tool_parsers(text: str) -> None:
    for tool_parser in TOOL_PARSERS.values():
        tool_parser.read(text, ended=False)
        tool_parser.read(text, ended=True)


READERS: dict[str, tuple[Callable[[str], object], tuple[type[Exception], ...]]] = {
    "expression": (expression_parser.expression, (NotMathematics,)),
    "relation": (expression_parser.relation, (NotMathematics,)),
    "question": (question_parser.read, ()),
    "form": (form_programs.create_program, (NotMathematics, SyntaxError)),
    "tool_parsers": (_tool_parsers, ()),
    "article: outline": (lambda text: parse_outline(text, 4), ()),
    "article: numbers": (lambda text: _charted(read_series(text, text)), ()),
    "article: tables": (lambda text: [*map(_charted, tables(text, "{value} {label}"))], ()),
    "article: pictures": (lambda text: [*parse_needs(text, "Silk", text)], ()),
    "article: source": (lambda text: title_of(parse_source(text or "x").assignment), ()),
}


@pytest.mark.parametrize("reader", READERS)
@given(text=WRITTEN)
@example(text="|---|---|")
@example(text="\n")
@example(text=f"1 + {'-' * 320}1")
def test_what_people_and_models_write(reader: str, text: str) -> None:
    read, expected = READERS[reader]
    told = ""
    try:
        read(text)
    except expected as error:
        told = str(error) or "nothing"
    assert told != "nothing"


@given(data=BYTES)
def test_what_files_begin_with(data: bytes) -> None:
    kind_of(data)
    assert decode(data) is None or isinstance(decode(data), str)


@given(data=BYTES | st.binary(max_size=60))
def test_what_a_stream_of_events_holds(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_event(b"!" + data)


@example(line=b'{"x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}")
@given(line=BYTES | WRITTEN.map(lambda text: text.encode("utf-8", "replace")))
def test_what_a_hand_wrote_into_a_manifest(line: bytes) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / image_entry.NAME).write_bytes(b'{"path": ' + line + b"}")
        try:
            read = image_entry.read_manifest(Path(folder))
        except image_entry.LibraryError as error:
            told = str(error)
        else:
            told = image_entry.NAME * len(read)
        assert image_entry.NAME in told

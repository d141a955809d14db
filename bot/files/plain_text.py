"""Text files: decode, repair and clean them, and say what was done."""

import codecs
import re
import unicodedata
from dataclasses import dataclass, replace

from bot.files import encodings

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_SAMPLE = 65_536  # bytes by which a file is taken for text or not
_FEW_CONTROLS = 0.01  # of a text's characters
_FEW_NULS = 0.02  # of the bytes of a text that is not UTF-8
_FEW_LETTERS = 6  # beyond ASCII: so few may be sound UTF-8 by accident
_BAD_BYTE = 2.0  # how much worse a damaged text is than a sound one in another encoding
_MOST = 0.6  # of the characters
# Common non-Latin characters, which in UTF-16 share no two bytes with ASCII.
_SCRIPTS = frozenset(("CYRILLIC", "GREEK", "HEBREW", "ARABIC", "THAI"))
_CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\r\f\0\x08\x1b")
_NO_TERMINALS = bytes(b for b in _CONTROLS if b not in b"\a\x0e\x0f")  # bell, character sets
_END_OF_FILE = b"\x1a"  # of DOS
_DAMAGED = "\ufffd"

# Terminals' sequences as ECMA-48 defines them: colours and cursor movements, titles and links,
# and the short ones. Each is read in linear time.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]"
    r"|\x1b"
)
_ESCAPE_BYTES = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]"
)
_JAPANESE_MODE = re.compile(rb"\x1b\$[@B]")
_COLOURS = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_OVERSTRUCK = re.compile(r"[^\x08\n]\x08")
_OTHER_CONTROLS = dict.fromkeys([*range(9), 11, *range(14, 32), *range(0x7F, 0xA0)])
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf]")
_HALF_AT_END = re.compile(rb"(?:[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{1,2})\Z")
_WHEEL = ("|", "/", "-", "\\")
_C1 = frozenset(map(chr, range(0x80, 0xA0)))
_UNDRAWN = re.compile(r"[\W\d_]+")  # the changing part of a progress bar


@dataclass(frozen=True)
class PlainText:
    text: str
    assumed_encoding: str = ""  # as people know it, where it is not certain
    repaired: bool = False  # some bytes were no characters
    cleaned: bool = False  # terminals' sequences or control characters were taken out


def looks_like_text(data: bytes) -> bool:
    """Return whether it may be a text, by its bytes alone and in little time."""
    sample = data[:_SAMPLE]
    if sample.startswith(tuple(mark for mark, _ in _MARKS[1:])):
        return True
    without = sample.replace(b"\0", b"")
    if b"\x1b" in without:
        without = _ESCAPE_BYTES.sub(b"", without)
    without = without.rstrip(_END_OF_FILE)
    controls = len(without) - len(without.translate(None, _NO_TERMINALS))
    if controls <= len(without) * _FEW_CONTROLS and without:
        return True
    return _without_mark(sample) is not None


def read_if_plain(data: bytes) -> PlainText | None:
    """Return a sound UTF-8 text that needs no work, else None. Takes milliseconds for 8 MB."""
    if data.translate(None, _CONTROLS + b"\0\x08\x1b\x7f") != data or b"\xc2\x9b" in data:
        return None
    if data.count(b"\r") != data.count(b"\r\n"):
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return PlainText(text) if _is_surely_utf8(text) else None


def read_text(data: bytes) -> PlainText | None:
    """Return what a text file says, or None if it is no text."""
    plain = read_if_plain(data)
    if plain is not None:
        return plain
    found = _decode(data) if looks_like_text(data) else None
    if found is None:
        return None
    text, cleaned = clean(found.text)
    return replace(found, text=text, cleaned=cleaned or found.cleaned)


def _decode(data: bytes) -> PlainText | None:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, "replace")
            return PlainText(text, repaired=_DAMAGED in text)
    if wide := _without_mark(data):
        text = data.decode(wide, "replace")
        return PlainText(text, encodings.NAMES[wide], repaired=len(data) % 2 == 1)
    if _JAPANESE_MODE.search(data) and (mail := _decode_iso_2022_jp(data)):
        return PlainText(mail, cleaned=_COLOURS.search(data) is not None)
    without = data.replace(b"\0", b"")
    nuls = len(data) - len(without)
    as_utf8 = _decode_utf8(without)
    if as_utf8 and _is_surely_utf8(as_utf8.text, repaired=as_utf8.repaired):
        return replace(as_utf8, cleaned=nuls > 0)
    guess = encodings.guess_encoding(without) if nuls <= len(data) * _FEW_NULS else None
    if guess is None or (as_utf8 and _judge_utf8(as_utf8) >= guess.judgement - 1):
        return replace(as_utf8, cleaned=nuls > 0) if as_utf8 else None
    text = without.decode(guess.encoding, "replace")
    assumed = "" if guess.certain else guess.name
    return PlainText(text, assumed, repaired=_DAMAGED in text, cleaned=nuls > 0)


def _decode_iso_2022_jp(data: bytes) -> str | None:
    """Return the text of a Japanese mail or log, whose sequences look like a terminal's."""
    try:
        return codecs.getincrementaldecoder("iso2022_jp_ext")().decode(_COLOURS.sub(b"", data))
    except UnicodeDecodeError:
        return None


def _decode_utf8(data: bytes) -> PlainText | None:
    """Return the text; None where it is rather in another encoding."""
    try:
        return PlainText(data.decode())
    except UnicodeDecodeError:
        pass
    if _SURROGATE.search(data):  # of Java and of older databases: each half by itself
        data = _join_surrogates(data)
    text = data.decode("utf-8", "replace")
    bad = text.count(_DAMAGED) - data.count(_DAMAGED.encode())
    good = len(text) - len(text.encode("ascii", "ignore")) - bad
    # Other encodings hardly ever produce valid characters of two or more bytes.
    if good < bad and not (bad == 1 and _HALF_AT_END.search(data)):
        return None
    # A piece of a file may begin or end with half a character, which is no error.
    return PlainText(text.strip(_DAMAGED), repaired=bad > 0)


def _is_surely_utf8(text: str, *, repaired: bool = False) -> bool:
    """Return whether it has so much beyond ASCII that it is UTF-8 by no accident.

    Two Chinese characters of GBK may be two sound letters of two bytes each.
    """
    beyond = text.encode().translate(None, bytes(range(128)))[:_SAMPLE]
    letters = set(beyond.decode(errors="ignore")) - {_DAMAGED, *_C1}
    rare = [c for c in letters if c > "\u07ff" and unicodedata.category(c) != "Cn"]
    if len(letters) > _FEW_LETTERS or len(rare) > 1 or "".join(rare) > "\uffff":
        return True
    if not letters or (rare and not repaired):
        return True
    return not repaired and encodings.rate_writing(text[:_SAMPLE].translate(_OTHER_CONTROLS)) >= 0


def _judge_utf8(found: PlainText) -> float:
    return encodings.rate_writing(found.text[:_SAMPLE]) - _BAD_BYTE * found.repaired


def _join_surrogates(data: bytes) -> bytes:
    try:
        halves = data.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
    except UnicodeDecodeError:
        return data
    return halves.decode("utf-16-le", "replace").encode()


def _without_mark(data: bytes) -> str | None:
    """Return which UTF-16 it is, where nothing at the file's beginning says so."""
    sample = data[: _SAMPLE & ~1]
    even = sample[: len(sample) & ~1]
    if len(even) < 4:
        return None
    for encoding in ("utf-16-le", "utf-16-be"):
        try:
            text = even.decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(even) - 2:
                continue
            text = even[: error.start].decode(encoding)
        if _reads_as_words(text):
            return encoding
    return None


def _reads_as_words(text: str) -> bool:
    """Return whether these are frequent characters, of a few blocks of Unicode."""
    shown = [c for c in text.rstrip("\0") if c not in "\t\n\r\f"]
    if not shown or any(unicodedata.category(c) in ("Cc", "Cn", "Co") for c in shown):
        return False
    usual = sum(" " <= c < "\x7f" or encodings.is_frequent(c) for c in shown)
    if usual >= len(shown) * _MOST:
        return True
    scripts = {encodings.script_of(c) for c in shown if c > "\x7f" and c.isalpha()}
    return len(scripts) == 1 and scripts <= _SCRIPTS and len(shown) > 1


def clean(text: str) -> tuple[str, bool]:
    """Return it as a terminal would leave it standing, and whether anything was taken out."""
    coloured = "\x1b" in text or "\x9b" in text
    lines = text.replace("\r\n", "\n")
    text = _ESCAPES.sub("", lines) if coloured else lines
    if "\x08" in text:
        text = _OVERSTRUCK.sub("", text)
    if "\r" in text:
        text = "\n".join(_resolve_returns(line, coloured) for line in text.split("\n"))
    text = text.translate(_OTHER_CONTROLS).replace("\ufeff", "")
    return text, len(text) < len(lines)


def _resolve_returns(line: str, terminal: bool) -> str:
    """Resolve lone carriage returns: keep a progress bar's last state, or end lines by them."""
    states = [state for state in line.split("\r") if state.strip()]
    if len(states) > 1 and (terminal or _are_states(states)):
        return states[-1]
    return line.replace("\r", "\n") if len(states) > 1 else "".join(states)


def _are_states(states: list[str]) -> bool:
    """Return whether these are the same words with other numbers, or a wheel that turns."""
    if all("%" in state for state in states) or all(s.strip() in _WHEEL for s in states[:-1]):
        return True
    words = {_UNDRAWN.sub("", state)[:40] for state in states}
    return len(words) == 1 and words != {""} and any(c.isdigit() for c in states[0])

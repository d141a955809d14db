"""Names and words, so written that different spellings of the same are the same."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af"
_CJK = re.compile(f"[{_IDEOGRAPHS}]+")
_WORD = re.compile(f"[^\\W_{_IDEOGRAPHS}]+")
_SUFFIX = re.compile(r"(?<=..)[市省县]$| (?:city|province)$")
_PREFIX = re.compile(r"^(?:the|city of) ")
_APOSTROPHES = str.maketrans("", "", "'’‘ʼ`´")
_STOP = frozenset(
    "a an and as at by for from in into is its near of on or the to with".split()  # noqa: SIM905
)


@lru_cache(maxsize=16_384)
def folded(text: str) -> str:
    """Width, case, accents, apostrophes and punctuation make no difference."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)
    bare = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", unicodedata.normalize("NFC", bare)))


@lru_cache(maxsize=16_384)
def name_of(text: str) -> str:
    """A name without what is no part of it: "the", "City", 市."""
    return _SUFFIX.sub("", _PREFIX.sub("", folded(text)))


def same(one: str, other: str) -> bool:
    return bool(name_of(one)) and name_of(one) == name_of(other)


def among(name: str, names: Iterable[str]) -> bool:
    return any(same(name, each) for each in names)


def mentioned(text: str, names: Iterable[str]) -> frozenset[str]:
    """Those of `names` that a text says, as `name_of` writes them.

    The longest one counts: who says 洛阳桥 does not say 洛阳, if both are names.
    """
    wanted = sorted({name_of(name) for name in names} - {""}, key=len, reverse=True)
    rest, found = folded(text), set()
    for name in wanted:
        if name in rest and (pattern := _pattern(name)).search(rest):
            found.add(name)
            rest = pattern.sub("|", rest)
    return frozenset(found)


@lru_cache(maxsize=16_384)
def _pattern(name: str) -> re.Pattern[str]:
    edge = "" if _CJK.search(name) else r"\b"
    return re.compile(f"{edge}{re.escape(name)}{edge}")


def terms(text: str) -> Iterator[str]:
    """What is searched by: words, and pairs of ideographs, which have no spaces between words."""
    plain = folded(text)
    for word in _WORD.findall(plain):
        if word not in _STOP:
            yield _singular(word)
    for run in _CJK.findall(plain):
        yield from (run[at : at + 2] for at in range(max(1, len(run) - 1)))


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word

"""Names and words in any script, written so that different spellings of the same are equal."""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

import regex

# Scripts that put no space between words, or join particles to them: each character is a token.
_UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
)
_TOKEN = regex.compile(
    rf"[{_UNSPACED}]\p{{M}}*|[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]+", regex.V1
)
_IS_UNSPACED = regex.compile(rf"[{_UNSPACED}]", regex.V1)
_JOINED = regex.compile(r"[\p{Cf}'’‘ʼ`´\s\p{Pd}_.·/]*", regex.V1)  # may stand within a name
_APOSTROPHES = frozenset("'’‘ʼ`´")
_STEM = 5  # letters of a word that count: endings differ, and no list of them fits all languages


class Token(NamedTuple):
    """A word, or one character of a script without spaces."""

    text: str  # folded: width, case and accents make no difference
    written: str
    gap: str  # what stands between it and the token before

    @property
    def is_unspaced(self) -> bool:
        return bool(_IS_UNSPACED.match(self.written))

    @property
    def has_capital(self) -> bool:
        return self.written[0].isupper()

    @property
    def continues(self) -> bool:
        """Return whether no punctuation separates it from the token before."""
        return bool(_JOINED.fullmatch(self.gap)) and "\n" not in self.gap

    @property
    def space(self) -> str:
        """The joint to the token before within a name: apostrophes join, all else parts."""
        return "" if not self.gap or set(self.gap) <= _APOSTROPHES else " "


class Mention(NamedTuple):
    """A name in a text, as the tokens from `first` up to `last`, which is excluded."""

    name: str
    first: int
    last: int


@lru_cache(maxsize=4_096)
def tokens(text: str) -> tuple[Token, ...]:
    plain = unicodedata.normalize("NFKC", text)
    found, end = [], 0
    for match in _TOKEN.finditer(plain):
        found.append(Token(_fold(match[0]), match[0], plain[end : match.start()]))
        end = match.end()
    return tuple(found)


@lru_cache(maxsize=16_384)
def _fold(word: str) -> str:
    bare = unicodedata.normalize("NFKD", word.casefold())
    kept = "".join(each for each in bare if not unicodedata.combining(each))
    return unicodedata.normalize("NFC", kept) or word


@lru_cache(maxsize=16_384)
def name_of(text: str) -> str:
    """The form in which names are compared."""
    return "".join(f"{each.space}{each.text}" for each in tokens(text)).strip()


def is_among(name: str, names: Collection[str]) -> bool:
    return bool(name_of(name)) and name_of(name) in map(name_of, names)


class NameSet(frozenset[str]):
    """Names as `name_of` writes them."""

    @classmethod
    def of(cls, names: Iterable[str]) -> "NameSet":
        return cls(frozenset(map(name_of, names)) - {""})

    def plus(self, names: Iterable[str]) -> "NameSet":
        return NameSet(self | NameSet.of(names))

    @cached_property
    def longest(self) -> int:
        return max(map(len, self), default=0)

    @cached_property
    def without_spaces(self) -> frozenset[str]:
        return frozenset(name.replace(" ", "") for name in self)


def find_names(text: str, names: NameSet) -> Iterator[Mention]:
    """Yield each name of `names` that a text says as a whole.

    The longest one counts: who writes 洛阳桥 does not name 洛阳, if both are names.
    """
    words = tokens(text)
    at = 0
    while at < len(words):
        found, spelled = None, ""
        for last in range(at, len(words)):
            if last > at and not words[last].continues:
                break
            spelled += (words[last].space if last > at else "") + words[last].text
            if len(spelled) > names.longest:
                break
            if spelled in names:
                found = Mention(spelled, at, last + 1)
        if found:
            yield found
        at = found.last if found else at + 1


def mentioned_names(text: str, names: Collection[str]) -> frozenset[str]:
    """Return those of `names` that a text says, as `name_of` writes them."""
    wanted = names if isinstance(names, NameSet) else NameSet.of(names)
    return frozenset(each.name for each in find_names(text, wanted))


def is_pair(term: str) -> bool:
    """Return whether a term is a pair of characters, of which each is in the next pair, too."""
    return len(term) == 2 and bool(_IS_UNSPACED.match(term))


def terms(text: str) -> Iterator[str]:
    """Yield what is searched by: beginnings of words, and pairs of characters without spaces."""
    run = ""
    for token in (*tokens(text), Token("", " ", " ")):
        if token.is_unspaced and not token.gap:
            run += token.text
            continue
        yield from (run[at : at + 2] for at in range(max(bool(run), len(run) - 1)))
        run = token.text if token.is_unspaced else ""
        if not token.is_unspaced and token.text:
            yield token.text[:_STEM]


def written_form(text: str, mention: Mention) -> str:
    """Return a name as the text writes it."""
    first, *rest = tokens(text)[mention.first : mention.last]
    return first.written + "".join(each.gap + each.written for each in rest)


def capitalized_names(text: str) -> list[str]:
    """Return names, in languages that write them with capitals and few other words: capitals within
    a sentence, since at its beginning every word has one."""
    found, run = dict[str, None](), ""
    for token in tokens(text):
        begins = not token.gap or bool(regex.search(r"[.!?:…\n]\W*$", token.gap))
        if token.has_capital and run and token.gap.isspace() and "\n" not in token.gap:
            run += token.gap + token.written
            continue
        found |= {run: None} if run else {}
        run = token.written if token.has_capital and not begins and len(token.written) > 1 else ""
    return list(found | ({run: None} if run else {}))

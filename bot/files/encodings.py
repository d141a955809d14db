"""Finds the encoding of a text that is not UTF-8.

chardet compares the bytes with pairs of letters of many languages. On the few words of a small
file it is often wrong between two encodings, so its confidence is one part of a score, and rules
of writing are the other: scripts are not mixed within a word, symbols do not stand inside words,
and the characters of Chinese, Japanese and Korean words are mostly frequent ones.
"""

import codecs
import json
import math
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

SAMPLE = 6_000  # bytes; more does not change the result
DOUBT = 2.5  # between the scores of two readings: from here on the better one is certain

# Python's name and the name that people know it by. An encoding stands before those it contains.
NAMES = {
    "gb18030": "GB18030 (GBK)",
    "big5hkscs": "Big5",
    "cp932": "Shift JIS",
    "euc_jp": "EUC-JP",
    "cp949": "EUC-KR",
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "iso8859-2": "ISO 8859-2",
    "cp1251": "Windows-1251",
    "koi8-r": "KOI8-R",
    "koi8-u": "KOI8-U",
    "iso8859-5": "ISO 8859-5",
    "cp866": "CP 866",
    "cp850": "CP 850",
    "cp1253": "Windows-1253",
    "iso8859-7": "ISO 8859-7",
    "cp1254": "Windows-1254",
    "cp1255": "Windows-1255",
    "cp1256": "Windows-1256",
    "cp1257": "Windows-1257",
    "cp874": "Windows-874",
    "iso8859-15": "ISO 8859-15",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
}
_EIGHT_BIT = tuple(name for name in NAMES if not name.startswith("utf"))
_EAST_ASIAN = ("gb18030", "big5hkscs", "cp932", "euc_jp", "cp949")
# chardet's names of encodings that it is asked for.
_ASKED = {"euc_jis_2004": "euc_jp", "shift_jis_2004": "cp932"}

# These encodings contain the same letters, so letter frequencies tell them apart.
_CYRILLIC = ("cp1251", "koi8-r", "koi8-u", "iso8859-5", "cp866")
_BY_FREQUENCY = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъіїєґўё"
_CYRILLIC_RATING = {c: 1 - n / len(_BY_FREQUENCY) for n, c in enumerate(_BY_FREQUENCY)}

# How much rarer the encoding is than others with the same letters.
_RARITY = {
    "iso8859-15": 0.6,
    "iso8859-2": 0.5,
    "iso8859-5": 1.5,
    "cp866": 0.8,
    "cp850": 1.2,
    "iso8859-7": 0.4,
}
_RARITY |= {"koi8-u": 0.3, "cp1257": 2.5, "euc_jp": 0.3, "gb18030": -0.5}

_FREQUENT_CHARACTERS = {
    name: "".join(lines)
    for name, lines in json.loads(
        Path(__file__).with_name("frequent_characters.json").read_text("utf-8")
    ).items()
}
_FREQUENT_CHARACTERS["euc_jp"] = _FREQUENT_CHARACTERS["cp932"]
_FREQUENT = {name: frozenset(characters) for name, characters in _FREQUENT_CHARACTERS.items()}
_EAST_ASIAN_PUNCTUATION = frozenset("、。，；：？！（）「」『』《》【】“”‘’…—～・￥")
_KANA = frozenset(map(chr, range(0x3041, 0x3100)))
_ALL_FREQUENT = frozenset().union(*_FREQUENT.values()) | _EAST_ASIAN_PUNCTUATION | _KANA
# Languages' letters beyond ASCII, and how likely a word is of that language.
_ALPHABETS = (
    (frozenset("äöüß"), 0.6),  # German
    (frozenset("éèêàâçîôëïûùœÿ"), 0.6),  # French
    (frozenset("áéíóúüñ"), 0.6),  # Spanish
    (frozenset("ãõáéíóúâêôçà"), 0.5),  # Portuguese
    (frozenset("àèéìòù"), 0.4),  # Italian
    (frozenset("åäöæøé"), 0.5),  # Scandinavian
    (frozenset("ğışçöüi̇âî"), 0.5),  # Turkish
    (frozenset("ąćęłńóśźż"), 0.5),  # Polish
    (frozenset("čďěňřšťůýžáéíóúľô"), 0.5),  # Czech and Slovak
    (frozenset("áéíóöőúüű"), 0.5),  # Hungarian
    (frozenset("ăâîșțşţ"), 0.4),  # Romanian
    (frozenset("čćžšđ"), 0.4),  # Croatian
    (frozenset("áéíóúýþæöð"), -0.4),  # Icelandic
    (frozenset("õäöüšž"), -0.2),  # Estonian
    (frozenset("āčēģīķļņšūž"), -0.2),  # Latvian
    (frozenset("ąčęėįšųūž"), -0.2),  # Lithuanian
)
# Spanish ñ and Portuguese õ come before these letters, Polish ń never does.
_BEFORE_VOWEL = re.compile("ñ(?![aeiouáéíóúü])|õ(?!e)|ń(?=[aeiouyóąę])|^ą|^ý")

_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_BEFORE = 100  # bytes of a long line that are looked at before its first letter beyond ASCII
_WORD = re.compile(r"[^\W\d_¹²³¼½¾]+")


@dataclass(frozen=True)
class Guess:
    encoding: str
    certain: bool = True
    judgement: float = 0  # by the rules of writing

    @property
    def name(self) -> str:
        return NAMES[self.encoding]


def guess_encoding(data: bytes) -> Guess | None:
    """Return the most likely encoding of a text that is not UTF-8, or None if it is no text."""
    sample = _sample(data)
    scores: dict[str, tuple[float, str]] = {}  # by the text that it gives
    confidence = _ask_chardet(sample)
    for name in (*_CYRILLIC, "cp1253", "iso8859-7"):
        read = _decode(sample, name) or ""
        if read.isupper():  # chardet knows few words in capitals
            small = _ask_chardet(read.lower().encode(name, "ignore"))
            confidence[name] = max(confidence.get(name, 0), small.get(name, 0))
    ratings = {name: _rate_cyrillic(_decode(sample, name) or "") for name in _CYRILLIC}
    for encoding in _EIGHT_BIT:
        text = _decode(sample, encoding)
        if text is None or text.isascii():  # then only a cut character was beyond ASCII
            continue
        # Pairs of letters are the more reliable, the more of them there are.
        weight = 1 + min(len(sample) / 200, 3)
        score = math.log(confidence.get(encoding, 0) + 0.02) * weight
        score += rate_writing(text, encoding) - _RARITY.get(encoding, 0)
        score -= max(ratings.values()) - ratings.get(encoding, max(ratings.values()))
        best, name = scores.get(text, (score, encoding))  # of two with one result, the first
        scores[text] = (max(score, best), name)
    if not scores:
        return None
    (text, (score, name)), *others = sorted(scores.items(), key=lambda item: item[1], reverse=True)
    certain = not others or score - others[0][1][0] >= DOUBT
    return Guess(name, certain, rate_writing(text, name))


def is_frequent(character: str) -> bool:
    """Return whether Chinese, Japanese or Korean texts are full of it."""
    return character in _ALL_FREQUENT


def _rate_cyrillic(text: str) -> float:
    """Rate by how frequent its letters are; to be compared with the same bytes' other letters."""
    letters = [_CYRILLIC_RATING.get(c, 0) for c in text.lower() if script_of(c) == "CYRILLIC"]
    return 2 * sum(letters) / len(letters) * min(len(letters), 12) if letters else 0


def _sample(data: bytes) -> bytes:
    """Return lines that have bytes beyond ASCII, each once: the others tell nothing."""
    pieces: dict[bytes, None] = {}
    length = 0
    for line in data.split(b"\n"):
        if line.isascii():
            continue
        beyond = _BEYOND_ASCII.search(line)
        start = max(beyond.start() - _BEFORE, 0) if beyond else 0
        piece = line[start : start + SAMPLE]
        length += 0 if piece in pieces else len(piece)
        pieces[piece] = None
        if length >= SAMPLE:
            break
    return b"\n".join(pieces) or data[:SAMPLE]


def _ask_chardet(sample: bytes) -> dict[str, float]:
    import chardet  # noqa: PLC0415 — its models are read in the process that reads files alone

    asked = {*_EIGHT_BIT, *_ASKED} - {"euc_jp"}
    found = chardet.detect_all(
        sample, include_encodings=asked, ignore_threshold=True, compat_names=False
    )
    confidence: dict[str, float] = {}
    for each in found:
        name = each["encoding"] or ""
        name = _ASKED.get(name, name)
        confidence[name] = max(confidence.get(name, 0), each["confidence"])
    return confidence


def _decode(data: bytes, encoding: str) -> str | None:
    """Return the text, or None where a byte or a character is none of a text's. A character that
    is cut at the end is left out."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return None
    return None if any("\x80" <= c <= "\x9f" for c in text) else text


def rate_writing(text: str, encoding: str = "utf-8") -> float:
    """Rate by rules of writing: above 0 is likely, below 0 unlikely."""
    beyond = sum(c > "\x7f" for c in text)
    if not beyond:
        return 0
    signs = 3 * len(_SIGN_IN_PLACE.findall(text))
    text = text.translate(_SIGNS)
    if encoding in _EAST_ASIAN:
        score = sum(_judge_east_asian(c, encoding) for c in text if c > "\x7f")
        score -= 2 * len(_BETWEEN_LATIN.findall(text))
        if not any(c in _FREQUENT[encoding] or c in _KANA for c in text):
            score -= 1  # a letter after a sign such as ° makes a rare character
        # Each of these characters is two bytes, which are two letters in other encodings.
        return score / beyond * min(beyond, 8)
    # Without combining marks, which would make a word look like two scripts.
    plain = "".join(c for c in text if c <= "\x7f" or unicodedata.category(c) != "Mn")
    words = [m for m in _WORD.finditer(plain) if not m[0].isascii()]
    if any(len(word[0]) > 1 for word in words) or len({word[0] for word in words}) > 2:
        score = sum(_judge_word(word[0]) for word in words)
    else:
        beside_ascii = any(c.isascii() and c.isalnum() for c in text)
        score = sum(_judge_lone_letter(word, beside_ascii) for word in words)
    score += signs
    if _judge_letters({c for c in text.lower() if c > "\x7f" and c.isalpha()}) <= -1:
        score -= 0.5 * beyond  # no language has all these letters
    score += _judge_symbols(text)
    return score / beyond * min(beyond, 8)


_BETWEEN_LATIN = re.compile(r"[a-z][^\W\d_a-zA-Z]+(?=[a-z])|^[^\W\d_a-zA-Z][a-z]")


def _judge_east_asian(character: str, encoding: str) -> float:
    code = ord(character)
    rating = -1.5  # of symbols, and of what is of another language
    if character in _FREQUENT[encoding]:
        rating = 1.0
    elif character in _EAST_ASIAN_PUNCTUATION:
        rating = 0.4
    elif character in _KANA:
        rating = 1.0 if encoding in ("cp932", "euc_jp") else -1.0
    elif 0xFF61 <= code <= 0xFF9F:  # half-width katakana
        rating = -0.8
    elif 0xAC00 <= code <= 0xD7A3:
        rating = 0.2 if _in_rows(character, "cp949", 0xB0, 0xC8) else -1.5
    elif 0x4E00 <= code <= 0x9FFF and encoding in _ORDERED_ROWS:
        rating = -0.1 if _in_rows(character, *_ORDERED_ROWS[encoding]) else -1.0
    return rating


# The rows of common Han characters. Korean has none, since few people write Hanja.
_ORDERED_ROWS = {
    "gb18030": ("gb18030", 0xB0, 0xD7),
    "big5hkscs": ("big5hkscs", 0xA4, 0xC6),
    "cp932": ("euc_jp", 0xB0, 0xCF),
    "euc_jp": ("euc_jp", 0xB0, 0xCF),
}


@lru_cache(maxsize=8_192)
def _in_rows(character: str, encoding: str, first: int, last: int) -> bool:
    """Return whether it stands in these rows of a table, and in no extension of it."""
    try:
        data = character.encode(encoding)
    except UnicodeEncodeError:
        return False
    wide = encoding in ("gb18030", "euc_jp", "cp949")
    return len(data) == 2 and first <= data[0] <= last and (not wide or data[1] >= 0xA1)


_LONE_LETTERS = frozenset("àáâãäåæèéêíîóôõöøúûüñçß")  # words of one letter, or names of letters


def _judge_lone_letter(found: re.Match[str], beside_ascii: bool) -> float:
    """Rate a letter of a text that has no longer word beyond ASCII: it may be a sign in another
    encoding, as £ and ° are. `beside_ascii`: whether that text has words or numbers of ASCII."""
    if beside_ascii and script_of(found[0]) != "LATIN":
        return -1.5
    before = found.string[max(found.start() - 1, 0) : found.start()]
    after = found.string[found.end() : found.end() + 1]
    is_word = found[0].lower() in _LONE_LETTERS and not (before.isdigit() or after.isdigit())
    return _judge_word(found[0]) if is_word else -1.5


def _judge_word(word: str) -> float:
    scripts = {script_of(c) for c in word}
    beyond = sum(c > "\x7f" for c in word)
    if len(scripts) > 1:
        return -3.0 * beyond
    score = 0.0
    if scripts == {"LATIN"}:
        score += _judge_letters({c for c in word.lower() if c > "\x7f"}) * beyond
        score -= 0.8 * sum(a > "\x7f" < b for a, b in pairwise(word))
        score -= 1.5 * len(_BEFORE_VOWEL.findall(word.lower()))
    else:
        score += 0.4 * beyond
    turns = sum(a.islower() and b.isupper() for a, b in pairwise(word))
    return score - 2.0 * turns


def _judge_letters(letters: set[str]) -> float:
    """Rate by the likeliest language that has all of them."""
    if any(script_of(c) != "LATIN" for c in letters):
        return 0
    return max((worth for alphabet, worth in _ALPHABETS if letters <= alphabet), default=-1.0)


@lru_cache(maxsize=4_096)
def script_of(character: str) -> str:
    """Return the first word of its Unicode name, such as LATIN."""
    return unicodedata.name(character, "?").split()[0]


_SIGNS = str.maketrans("µªº", "uao")  # letters by Unicode, signs in what people write
_WITH_WORDS = frozenset("’‘“”„«»–—…‚‹›¿¡·\xa0")  # next to letters
_SIGN_IN_PLACE = re.compile(r"\bµ[AFJLVWglms]\b|\b[Nn][º°](?=[ \d])|\d[ºª]|\b[ckm]?m[²³]")
_NUMBER_BEFORE = re.compile(r"\d ?\Z")
_NUMBER_AFTER = re.compile(r" ?\d")
_WITH_NUMBERS = frozenset("€°£§©®™²³½±×•№\xad\xb5\xb7")
_BESIDE_NUMBERS = frozenset("€°£¥¢§©²³¼½¾±×№")


def _is_beside_number(text: str, at: int) -> bool:
    if text[at] in "¼½¾" and text[at - 1].isspace() and text[at + 1] == " ":
        return True
    before = _NUMBER_BEFORE.search(text[max(at - 2, 0) : at])
    return bool(before or _NUMBER_AFTER.match(text, at + 1))


def _judge_symbols(text: str) -> float:
    score = 0.0
    padded = f" {text} "
    for at, (before, c, after) in enumerate(zip(padded, padded[1:], padded[2:], strict=False)):
        if c <= "\x7f" or c.isalpha() or unicodedata.category(c) == "Mn":
            continue
        lettered = before.isalpha() + after.isalpha()
        if c in "’":
            score += 0.3 * lettered
        elif c in _WITH_WORDS:
            score -= 2.0 if lettered == 2 else 0.0
        elif c in _BESIDE_NUMBERS and not before.isalpha() and _is_beside_number(padded, at + 1):
            score += 1.0
        elif c in _WITH_NUMBERS:
            score -= 1.0 * before.isalpha()
        else:
            score -= 1.0 + lettered
    return score

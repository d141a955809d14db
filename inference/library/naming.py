"""Whether a text really names something: as a whole, and as itself.

*Luoyang Bridge* does not name Luoyang, nor *Florence Nightingale*, *Florence, Alabama* or *the
Florence of the North* Florence, nor 洛阳铲 洛阳. What stands right beside a name tells; where in
doubt, it is another's.
"""

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

from inference.library.normalize import among

_CJK = r"\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af"
_JOINING = frozenset(  # words that are no part of a name that they stand beside
    """a about across along also an and are around as at be been before beside between beyond but by
    can for from had has have how in inside into is its lie lies near of on or outside over since
    stand stands than that the through to today toward towards under until visit was were what when
    where which while who why with within""".split()  # noqa: SIM905
)
# Characters that begin or end no name.
_BEFORE_CJK = re.compile(rf"(?:^|[^{_CJK}]|[的在于到从和与及是向往对为以把去至称叫而了离出])$")
_AFTER_CJK = re.compile(
    rf"(?:$|[^{_CJK}]|[的在位有和与及为于被从到也曾以因而则都已将又还就由市是城(（喜写出生去来游住死说作任做改爱著很最常每当今一二三四五六七八九十两]|始建|地处|拥有)"
)
_WORD_BEFORE = re.compile(r"([^\W\d_][\w'’.]*)[ \t]+$")
_WORD_AFTER = re.compile(r"[ \t]+([^\W\d_][\w'’]*)")
_JOINED_BEFORE, _JOINED_AFTER = re.compile(r"\w[-–/]$"), re.compile(r"[-–/]\w")
_OF_BEFORE = re.compile(r"([^\W\d_]+) of (?:the )?$")
_ONE_BEFORE = re.compile(r"\b(?:the|an?|this|that|another|every|second|new) $", re.IGNORECASE)
_PARTS = frozenset(  # whose names are the thing's own: the Gardens of Suzhou
    """architecture art arts beauty beginnings bridges capital centre center churches city crafts
    culture day days festivals food gardens geography heart history kitchens legacy life map markets
    museums night origins palaces people rise rivers secrets sights spring story streets temples
    town towns treasures walls wonders""".split()  # noqa: SIM905
)
_OWNER = re.compile(r"['’](?:s\b|(?=\s))")
# What is of a place, and not it: that says nothing of whether the place is meant elsewhere.
_OF_PLACE = re.compile(
    r"\s+(?:Airport|Basin|City|County|Museum|Peony|Prefecture|Province|Station|University)\b"
)
_NAME = r"[A-Z][\w'’-]*(?: (?:of )?[A-Z][\w'’-]*)*"
# Where it is, which has to be where the thing is: `, Alabama` before a pause, `in Virginia`.
_WHERE = re.compile(rf",\s+({_NAME})(?=\s*[,.;:!?)]|\s*$)|\s+(?:in|of|near)\s+(the\s+)?({_NAME})?")
_LISTED = re.compile(rf"(?:,\s+{_NAME})*,?\s+(?:and|or)\s+(?:the|its|an?|[A-Z])\b|,\s+{_NAME},")
_WHEN = re.compile(
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Spring|Summer|Autumn|Winter)"
)
# What is no place, person or thing to be seen, though it has the name of one.
_CALLED = re.compile(
    r"(?:,|\s+(?:is|was))\s+(?:also\s+)?an?\s+(?:[\w-]+\s+){0,3}?(?:surname|name|word|song|film|movie"
    r"|novel|book|poem|play|opera|album|band|brand|company|game|ship|asteroid|crater|typeface|font"
    r"|dish|cocktail|car|horse|dog|cat)\b"
)
_ENDED = re.compile(r"[.!?。！？…][”’」』）)\"'*_]*$")


def naming(
    text: str, name: str, *, longer: Collection[str] = (), around: Collection[str] = ()
) -> bool | None:
    """True where `text`, a sentence or a heading, means it by its name; False where something else
    is or may be called so; None where it is not said.

    Names are as `name_of` writes them. `longer` are those of other things that have it within them,
    `around` what may stand beside it, as the place where it is.
    """
    text = _plain(text)
    for other in longer:
        text = _spelled(other).sub("▪", text)
    every = _spelled(name).finditer(text)
    found = [each for each in every if not _OF_PLACE.match(text, each.end())]
    if not found:
        return None
    title = not _ENDED.search(text)
    return all(_itself(text, each, around, title=title) for each in found)


def _itself(text: str, found: re.Match[str], around: Collection[str], *, title: bool) -> bool:
    before, after = text[: found.start()], text[found.end() :]
    if re.search(f"[{_CJK}]", found[0]):
        return bool(_BEFORE_CJK.search(before) and _AFTER_CJK.match(after))
    if not title and not found[0][0].isupper():
        return False
    return _begins(before, found[0], title=title) and _ends(after, around, title=title)


def _begins(before: str, name: str, *, title: bool) -> bool:
    """Whether a name begins where it is found."""
    if _JOINED_BEFORE.search(before) or _longer(_WORD_BEFORE.search(before), title=title):
        return False
    if " " not in name and _ONE_BEFORE.search(before):  # the Mozart effect
        return False
    part = _OF_BEFORE.search(before)  # of a name, as in the Treaty of Nanjing
    typed = title and name.islower()
    return part is None or part[1].casefold() in _PARTS or not (typed or part[1][0].isupper())


def _ends(after: str, around: Collection[str], *, title: bool) -> bool:
    if _OWNER.match(after):
        return True
    if _JOINED_AFTER.match(after) or _longer(_WORD_AFTER.match(after), title=title):
        return False
    return not (_CALLED.match(after) or _elsewhere(after, around))


def _longer(word: re.Match[str] | None, *, title: bool) -> bool:
    """Whether the word beside a name is a part of it. In a title every word may have a capital,
    and in what is typed in haste none."""
    if word is None or word[1].casefold() in _JOINING:
        return False
    return title or word[1][0].isupper()


def _elsewhere(after: str, around: Collection[str]) -> bool:
    where = _WHERE.match(after)
    if where is None or (where[1] and _LISTED.match(after, where.end())):
        return False
    name = where[1] or where[3]
    if not name:  # of the North
        return bool(where[2] and after.split(maxsplit=1)[0] == "of")
    parts = [name, *name.split()]
    return not (_WHEN.match(name) or any(among(part, around) for part in parts))


@lru_cache(maxsize=16_384)
def _spelled(name: str) -> re.Pattern[str]:
    """However it is spaced, hyphened and apostrophed, as a word where words have ends."""
    letters = (r"[\W_]+" if each == " " else f"{re.escape(each)}['’‘ʼ`´]?" for each in name)
    within = "".join(letters).removesuffix("['’‘ʼ`´]?")
    edges = ("(?<![A-Za-z0-9])", "(?![A-Za-z0-9])") if name.isascii() else ("", "")
    return re.compile(within.join(edges), re.IGNORECASE)


def _plain(text: str) -> str:
    """Without accents, and capitals as they are."""
    bare = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text))
    kept = (each for each in bare if not unicodedata.combining(each))
    return unicodedata.normalize("NFC", "".join(kept))

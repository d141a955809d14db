"""Whether a picture may stand where one is needed at all: what it is about must be what is named.

Words that match are not enough: a map of Kaifeng that mentions Luoyang is a map of Kaifeng, and
Luoyang Bridge is in Quanzhou. So a name of the need has to be, as a whole, a name that the entry
is about. Where in doubt, the answer is no.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from inference.library.image_entry import Entry
from inference.library.normalize import among, mentioned, name_of
from inference.library.times import at_odds
from jobqueue.article import Kind, Need

VIEWS = (Kind.PHOTO, Kind.DRAWING)  # either may stand for the other

_KINDS = (
    (Kind.MAP, re.compile(r"\bmaps?\b|\bcity plan\b|地图", re.IGNORECASE)),
    (Kind.PORTRAIT, re.compile(r"\bportraits?\b|肖像|画像", re.IGNORECASE)),
    (Kind.CHART, re.compile(r"\bcharts?\b|\bdiagrams?\b|图表", re.IGNORECASE)),
)


def kind_in(text: str) -> Kind | None:
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A need, and what follows from it in a library whose subjects have these names."""

    text: str
    kind: Kind | None
    names: tuple[str, ...]  # that the picture has to be about, all of them
    beside: str = ""  # a text that it is to stand beside

    @classmethod
    def of(cls, need: Need, known: Collection[str], beside: str = "") -> "Wanted":
        stated = mentioned(need.caption, need.entities)
        own = [each for each in need.entities if name_of(each) in stated] or need.entities
        # What the library knows by name and the caption says was meant, stated or not.
        others = mentioned(need.caption, {*known, *need.entities})
        names = dict.fromkeys((*map(name_of, own), *sorted(others)))
        # A caption's own word for the kind is more than a label beside it.
        return cls(
            need.caption, kind_in(need.caption) or need.kind, tuple(filter(None, names)), beside
        )


def refusal(wanted: Wanted, entry: Entry, known: Collection[str]) -> str | None:
    """Why an entry is out of question; None where it may do. `known` are subjects' names."""
    kind = entry.kind or kind_in(entry.caption)
    if not _kind_fits(wanted.kind, kind):
        return f"a {wanted.kind or 'view'} is needed, and it is a {kind or 'view'}"
    if at_odds(wanted.text, entry.caption):
        return "it shows another time"
    if not wanted.names:
        return _about_nothing(wanted, entry, known)
    about = entry.names or tuple(mentioned(entry.caption, {*known, *wanted.names}))
    missing = [name for name in wanted.names if not among(name, about)]
    if missing:
        return f"it is not about {missing[0]}"
    if not _subject_fits(wanted, kind, entry, about):
        return f"it is about {about[0]}"
    return None


def settles(wanted: Wanted, entry: Entry) -> bool:
    """Whether names alone tell that what may do is right, however little the words have in common:
    of a map, a portrait, and of what the need calls by its own name."""
    of_one = wanted.kind in (Kind.MAP, Kind.PORTRAIT)
    return of_one or any(among(name, entry.shown) for name in wanted.names)


def _kind_fits(wanted: Kind | None, kind: Kind | None) -> bool:
    """What is of an unknown kind is a view of something; so is what is wanted of any kind."""
    if wanted in VIEWS or wanted is None:
        return kind is None or kind in VIEWS or (wanted is None and kind is Kind.PORTRAIT)
    return kind is wanted


def _about_nothing(wanted: Wanted, entry: Entry, known: Collection[str]) -> str | None:
    """Beside a text about one place, a view of another one would be taken for the first."""
    if wanted.kind in (Kind.MAP, Kind.PORTRAIT):
        return "the need does not say of what"
    about = entry.names or tuple(mentioned(entry.caption, known))
    return f"it is about {about[0]}, and the need names nothing" if about else None


def _subject_fits(wanted: Wanted, kind: Kind | None, entry: Entry, about: tuple[str, ...]) -> bool:
    if not entry.names:  # by its caption alone: then that must speak of nothing else
        return all(among(name, wanted.names) for name in about)
    if kind is Kind.MAP:  # is of one place; what else is on it is not what it is of
        subjects = (*(entry.entities[:1] or entry.nearest), *entry.also)
    elif kind is Kind.PORTRAIT:
        subjects = (*entry.entities, *entry.also)
    else:
        subjects = entry.names
    return any(among(name, subjects) for name in wanted.names)

"""Rules by which a picture may stand where one is requested, or may not.

They compare data: the kind, whole names, and the time. Words that match are not enough: a map of
Kaifeng that mentions Luoyang is a map of Kaifeng, and Luoyang Bridge is in Quanzhou. Where in
doubt, the answer is no.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from inference.library.image_entry import ImageEntry, kind_in, years_in
from inference.library.normalize import NameSet, is_among, mentioned_names, name_of, terms
from jobqueue.article import ImageKind, ImageRequest

VIEWS = (ImageKind.PHOTO, ImageKind.DRAWING)  # either may stand for the other
TODAY_YEARS = 60  # a picture of a later year may stand for today


@dataclass(frozen=True, slots=True)
class SurroundingText:
    """The text that a picture is to stand beside."""

    topic: str = ""  # the assignment, the title and the heading
    text: str = ""


@dataclass(frozen=True, slots=True)
class ImageQuery:
    text: str
    kind: ImageKind | None
    names: tuple[str, ...]  # each of them has to be a name of the picture's
    passage: SurroundingText | None = None  # the picture has to show what this speaks of

    @classmethod
    def from_need(
        cls,
        need: ImageRequest,
        known: NameSet,
        passage: SurroundingText | None = None,
        is_common: Callable[[str], bool] = lambda _: False,
    ) -> "ImageQuery":
        """Take the names that the caption says, those that the library knows among them.

        `is_common` tells words that begin no name, as articles.
        """
        entities = [_without_article(each, known, is_common) for each in need.entities]
        stated = mentioned_names(need.caption, known.plus(entities))
        own = [each for each in entities if each in stated] or entities
        names = dict.fromkeys((*own, *sorted(stated)))
        kind = kind_in(need.caption) or need.kind  # the caption's own word counts for more
        return cls(need.caption, kind, tuple(filter(None, names)), passage)

    @property
    def time_text(self) -> str:
        """The text that may tell the time that is meant."""
        return f"{self.text}\n{self.passage.topic}" if self.passage else self.text


def refusal(query: ImageQuery, entry: ImageEntry, known: NameSet) -> str | None:
    """Return why an entry is no candidate; None where it may be. `known` are subjects' names."""
    kind = entry.kind or kind_in(entry.caption)
    if not _kind_fits(query.kind, kind):
        return f"a {query.kind or 'view'} is needed, and it is a {kind or 'view'}"
    about = entry.names or tuple(mentioned_names(entry.caption, known.plus(query.names)))
    if not query.names:
        if query.kind in (ImageKind.MAP, ImageKind.PORTRAIT):
            return "the need does not say of what"
        # Beside a text about one place, a view of another one would be taken for the first.
        return f"it is about {about[0]}, and the need names nothing" if about else None
    if missing := [name for name in query.names if not is_among(name, about)]:
        return f"it is not about {missing[0]}"
    if not _subject_fits(query, kind, entry, about):
        return f"it is about {about[0]}"
    return "it shows another time" if _is_of_another_time(query, entry) else None


def name_doubt(query: ImageQuery, entry: ImageEntry) -> str | None:
    """Return why a name alone does not tell that a map is the right one: places change their names,
    and a second name may be that of another time."""
    if _time_of(entry):
        names = [name for name in query.names if is_among(name, entry.also)]
        return None if _is_of_its_time(query, entry) else f"{names[0]} may be of another time"
    own = [name for name in entry.also if mentioned_names(entry.caption, [name])]
    if entry.kind is not ImageKind.MAP or not own or mentioned_names(entry.caption, query.names):
        return None
    scripts = {_script(name) for name in query.names}
    other = next((name for name in own if _script(name) in scripts), None)
    return f"it is called {other}" if other else None


def is_settled_by_name(query: ImageQuery, entry: ImageEntry) -> bool:
    """Return whether names alone tell that a candidate is right, however few words they have in
    common: of a map, a portrait, and of what the query calls by its own name."""
    of_one = query.kind in (ImageKind.MAP, ImageKind.PORTRAIT)
    return of_one or any(is_among(name, entry.shown_names) for name in query.names)


def have_same_subject(one: ImageEntry, other: ImageEntry) -> bool:
    """Return whether neither would be wrong for the other; places of one name elsewhere are two."""
    if not one.subjects or not other.subjects:
        return one.subjects == other.subjects and one.caption == other.caption
    if not any(is_among(name, other.subjects) for name in one.subjects):
        return False
    around, others = (each.place.partition(",")[2] for each in (one, other))
    return not around or not others or bool(set(terms(around)) & set(terms(others)))


def _without_article(entity: str, known: NameSet, is_common: Callable[[str], bool]) -> str:
    name = name_of(entity)
    first, _, rest = name.partition(" ")
    return rest if rest and name not in known and all(map(is_common, terms(first))) else name


def _kind_fits(wanted: ImageKind | None, kind: ImageKind | None) -> bool:
    """Take what is of an unknown kind as a view, and so what is wanted of any kind."""
    if wanted in VIEWS or wanted is None:
        return kind is None or kind in VIEWS or (wanted is None and kind is ImageKind.PORTRAIT)
    return kind is wanted


def _subject_fits(
    query: ImageQuery, kind: ImageKind | None, entry: ImageEntry, about: tuple[str, ...]
) -> bool:
    if not entry.names:  # then its caption must speak of nothing else
        return all(is_among(name, query.names) for name in about)
    if kind is ImageKind.MAP:  # is of one place, whatever else is on it
        subjects = (*(entry.entities[:1] or entry.nearest), *entry.also)
    elif kind is ImageKind.PORTRAIT:
        subjects = (*entry.entities, *entry.also)
    else:
        subjects = entry.names
    return any(is_among(name, subjects) for name in query.names)


def _time_of(entry: ImageEntry) -> tuple[int, int] | None:
    """Return its years. Persons and works are the same in every picture of theirs, so of those a
    year in the caption tells nothing."""
    if entry.kind is ImageKind.PORTRAIT:
        return None
    if entry.years or entry.entities:
        return entry.years
    years = years_in(entry.caption)
    return (min(years), max(years)) if years else None


def _is_of_its_time(query: ImageQuery, entry: ImageEntry) -> bool:
    time = _time_of(entry)
    if time is None:
        is_of_today = entry.kind is not ImageKind.MAP or not years_in(query.text)
        return is_of_today or max(years_in(query.text)) >= _today()
    if mentioned_names(query.time_text, entry.periods):
        return True
    years = years_in(query.text) or years_in(query.time_text)
    if years:
        return any(time[0] <= year <= time[1] for year in years)
    return time[1] >= _today()


def _is_of_another_time(query: ImageQuery, entry: ImageEntry) -> bool:
    """Return whether it is not of the time that the query states, which is today where it states
    none. A name of that time alone is a doubt: see `name_doubt`."""
    if _is_of_its_time(query, entry):
        return False
    by_old_name = any(is_among(name, entry.also) for name in query.names)
    return bool(years_in(query.time_text)) or not by_old_name


def _today() -> int:
    return date.today().year - TODAY_YEARS


def _script(name: str) -> str:
    first = next(filter(str.isalpha, name), " ")
    return unicodedata.name(first, "").split(" ")[0]

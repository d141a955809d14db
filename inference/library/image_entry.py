"""One picture of the library, as its manifest describes it."""

from jobqueue.article import Kind
from jobqueue.structs import Struct


class Entry(Struct, frozen=True):
    path: str  # below the library's folder; it is the entry's id too
    caption: str = ""  # what is printed below it
    sha256: str = ""  # of the file, as it was when it was added
    kind: Kind | None = None
    place: str = ""  # from the nearest on, other names behind a slash: "Luoyang/洛阳, Henan, China"
    entities: tuple[str, ...] = ()  # persons, works and places that it shows; a map's first is its
    also: tuple[str, ...] = ()  # other names of what it shows, or of the place where that is all
    tags: tuple[str, ...] = ()
    alt: str = ""
    licence: str = ""
    author: str = ""
    source: str = ""  # an address, or a name

    @property
    def nearest(self) -> tuple[str, ...]:
        """The place itself, by each of its names."""
        return _names(self.place.split(",")[0])

    @property
    def shown(self) -> tuple[str, ...]:
        """What it shows in particular, by every name; nothing where it is of a place as such."""
        return (*self.entities, *self.also) if self.entities else ()

    @property
    def heart(self) -> tuple[str, ...]:
        """By which names alone it is known to be right; nothing where it is a view of a place."""
        if self.kind is Kind.MAP:
            return (*(self.entities[:1] or self.nearest), *self.also)
        return self.shown

    @property
    def subjects(self) -> tuple[str, ...]:
        """What it is about: what it shows, and where that is, at its nearest."""
        return tuple(dict.fromkeys((*self.entities, *self.also, *self.nearest)))

    @property
    def names(self) -> tuple[str, ...]:
        """Its subjects, and what is around the place."""
        return tuple(dict.fromkeys((*self.subjects, *_names(self.place.replace(",", "/")))))


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, map(str.strip, text.split("/"))))

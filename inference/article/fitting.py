"""Whether a section that was written anew still speaks of what its pictures show."""

from inference.article.claims import claims
from inference.article.image_requests import is_about, names
from inference.article.source import numbers_in
from jobqueue.article import Kind, Section, Slot


def still_fits(slot: Slot, before: Section, after: Section) -> bool:
    """What the text said of a picture's need, it has to say now; what it never said, a person
    wanted. A chart's numbers are held against it in the same way."""
    old, new = (claims(f"{each.heading}\n{each.text}") for each in (before, after))
    if slot.need.kind is Kind.CHART:
        shown = numbers_in(slot.figure.alt) if slot.figure else frozenset[str]()
        return shown & numbers_in(before.text) <= numbers_in(after.text)
    if not slot.need.entities:
        return is_about(slot.need.caption, new) or not is_about(slot.need.caption, old)
    return all(names(new, name) for name in slot.need.entities if names(old, name))

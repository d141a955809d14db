"""Edits of an article by hand. Each returns a new article."""

from msgspec.structs import replace

from jobqueue.article import Article, ArticleFigure, ImageSlot, NoImageReason, Section

MOST_CANDIDATES = 10


def is_lead(article: Article, at: int) -> bool:
    """Return whether the section is the opening, which cannot be moved."""
    return at == 0 and not article.sections[0].heading


def replace_text(article: Article, at: int, heading: str, text: str) -> Article:
    """Replace a section's heading and text."""
    section = article.sections[at]
    heading = "" if is_lead(article, at) else heading or section.heading
    return article.with_section(at, replace(section, heading=heading, text=text))


def remove_picture(article: Article, at: int, place: int) -> Article:
    """Empty a place; its picture stays among the candidates."""
    slot = article.sections[at].slots[place]
    emptied = replace(
        slot, figure=None, why=NoImageReason.REMOVED, detail="", candidates=_other_candidates(slot)
    )
    return _replace_slot(article, at, place, emptied)


def choose_picture(article: Article, at: int, place: int, candidate: int) -> Article:
    """Put a candidate into a place; the former picture becomes a candidate."""
    slot = article.sections[at].slots[place]
    chosen = slot.candidates[candidate]
    others = tuple(figure for figure in _other_candidates(slot) if figure != chosen)
    filled = replace(slot, figure=chosen, why=None, detail="", candidates=others)
    return _replace_slot(article, at, place, filled)


def can_move(article: Article, at: int, step: int) -> bool:
    to = at + step
    within = 0 <= to < len(article.sections)
    return within and not is_lead(article, at) and not is_lead(article, to)


def move_section(article: Article, at: int, step: int) -> Article:
    """Move a section one place up (-1) or down (+1), where that is possible."""
    if not can_move(article, at, step):
        return article
    sections = list(article.sections)
    sections[at], sections[at + step] = sections[at + step], sections[at]
    return replace(article, sections=tuple(sections))


def list_empty_slots(article: Article) -> list[tuple[Section, ImageSlot]]:
    """Return the places without a picture, in reading order."""
    slots = [(section, slot) for section in article.sections for slot in section.slots]
    return [(section, slot) for section, slot in slots if slot.figure is None]


def _other_candidates(slot: ImageSlot) -> tuple[ArticleFigure, ...]:
    figures = (slot.figure, *slot.candidates) if slot.figure else slot.candidates
    return figures[:MOST_CANDIDATES]


def _replace_slot(article: Article, at: int, place: int, slot: ImageSlot) -> Article:
    section = article.sections[at]
    slots = (*section.slots[:place], slot, *section.slots[place + 1 :])
    return article.with_section(at, replace(section, slots=slots))

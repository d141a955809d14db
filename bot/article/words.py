"""What people read about an article, besides it."""

from bot.article.edits import empty
from bot.render.dress import escaped
from bot.words import Words
from jobqueue.article import Article, Slot, Why

REASONS = {
    Why.NOTHING: "why-nothing",
    Why.ANOTHER: "why-another",
    Why.WEAK: "why-weak",
    Why.UNSURE: "why-unsure",
    Why.SEEN: "why-seen",
    Why.UNREADABLE: "why-unreadable",
    Why.REMOVED: "why-removed",
}
DETAIL_CHARS = 200


def title_of(article: Article) -> str:
    return escaped(" ".join(article.title.split()))


def reason(slot: Slot, say: Words) -> str:
    """What a place is for, and why nothing is there."""
    why = say(REASONS[slot.why or Why.NOTHING])
    detail = " ".join(slot.detail.split())[:DETAIL_CHARS]
    line = f"*{escaped(slot.need.caption)}*: {why}"
    return f"{line} ({escaped(detail)})" if detail else line


def reasons(article: Article, say: Words) -> str:
    """Of each place that is empty, under its section's heading."""
    lines = []
    for section, slot in empty(article):
        heading = f"**{escaped(section.heading)}** · " if section.heading else ""
        lines.append(f"◻️ {heading}{reason(slot, say)}")
    return "\n".join(lines)

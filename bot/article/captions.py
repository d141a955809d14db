"""What people read about an article, besides it."""

from bot.article.edits import list_empty_slots
from bot.i18n import Words
from bot.render.format_answer import escaped
from bot.render.link_defang import harmless_links
from jobqueue.article import Article, ImageSlot, NoImageReason

REASONS = {
    NoImageReason.NOTHING: "why-nothing",
    NoImageReason.ANOTHER: "why-another",
    NoImageReason.WEAK: "why-weak",
    NoImageReason.UNSURE: "why-unsure",
    NoImageReason.SEEN: "why-seen",
    NoImageReason.UNREADABLE: "why-unreadable",
    NoImageReason.REMOVED: "why-removed",
    NoImageReason.UNSAID: "why-unsaid",
}
LINE_CHARS = 200


def escape_line(text: str) -> str:
    """A title, a caption or a name in one line that is not too long; nothing in it is markup."""
    joined = " ".join(text.split())
    return harmless_links(
        escaped(f"{joined[:LINE_CHARS]}…" if len(joined) > LINE_CHARS else joined)
    )


def describe_empty_slot(slot: ImageSlot, say: Words) -> str:
    """What a place is for, and why nothing is there. What else is known of it is the operator's."""
    why = say(REASONS[slot.why or NoImageReason.NOTHING])
    return say("why-line", {"what": escape_line(slot.need.caption), "why": why})


def describe_empty_slots(article: Article, say: Words) -> str:
    """Of each place that is empty, under its section's heading."""
    lines = []
    for section, slot in list_empty_slots(article):
        named = section.heading not in {"", slot.need.caption}
        heading = f"**{escape_line(section.heading)}** · " if named else ""
        lines.append(f"◻️ {heading}{describe_empty_slot(slot, say)}")
        if count := len(slot.candidates):
            lines.append(f"-# {say('why-choose', {'count': count})}")
    return "\n".join(lines)

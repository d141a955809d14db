"""What is written in a picture, held against what it is said to show.

Names on it are evidence and nothing more: no text of a picture is ever told to a model as an
instruction.
"""

import re
from collections.abc import Collection, Sequence

from inference.library.eligibility import kind_in
from inference.library.image_entry import Entry
from inference.library.normalize import among, folded, mentioned, name_of
from inference.library.store import Written
from inference.ocr import Line
from jobqueue.article import Kind

TITLE_SHARE = 0.75  # of the tallest line's height, from here on a line is a title

_GENERIC = re.compile(
    r"\b(?:tourist|travel|city|street|road|old|town|historical|modern|ancient|new|the|plan|map|of)\b"
    r"|旅游|交通|城市|历史|示意|全图|古|新|平面"
)
_MAP_OF = re.compile(r"\b(?:map|plan) of (.+)$|^(.+?) (?:map|city plan)$|^(.+?)地图")


def titles(lines: Sequence[Line]) -> list[str]:
    """The largest ones, from the top."""
    tallest = max((line.box[3] - line.box[1] for line in lines), default=0)
    return [line.text for line in lines if line.box[3] - line.box[1] >= TITLE_SHARE * tallest]


def contradicted(entry: Entry, text: Written, known: Collection[str]) -> str | None:
    """What speaks against an entry: its own caption, or what is written in its picture."""
    if against := contradiction((), (entry.caption,), entry, known):
        return f"its caption: {against}"
    return contradiction(text.titles, text.lines, entry, known)


def contradiction(
    large: Sequence[str], every: Sequence[str], entry: Entry, known: Collection[str]
) -> str | None:
    """What a picture's titles and all of its lines say against its entry; None where nothing.

    A map bears its neighbours' names too; so its title decides, where it has one.
    """
    own = entry.names or tuple(mentioned(entry.caption, known))
    if not own:
        return None
    if (entry.kind or kind_in(entry.caption)) is Kind.MAP:
        for line in every:
            if (named := _map_of(line)) and not _says(line, own) and not among(named, own):
                return f"its title says “{line[:60]}”"
    for text in (large, every):
        if any(_says(line, own) for line in text):
            return None
        if others := [line for line in text if _says(line, known)]:
            return f"“{others[0][:60]}” is written in it"
    return None


def _says(line: str, names: Collection[str]) -> bool:
    """As words of it, or as the whole line, however it is spaced."""
    bare = folded(line).replace(" ", "")
    return bool(mentioned(line, names)) or any(name_of(n).replace(" ", "") == bare for n in names)


def _map_of(line: str) -> str:
    found = _MAP_OF.search(folded(line))
    named = next(filter(None, found.groups()), "") if found else ""
    return " ".join(_GENERIC.sub(" ", named).split())

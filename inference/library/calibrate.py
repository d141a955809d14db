"""How near is near enough, learnt from the library itself.

An entry's caption is a need that no entry about something else may fill. Those have its words all
the same, but for the names of what it shows, which are another's wherever they stand. So far do
wrong pictures come; one that is accepted has to come further than nearly all of them, and to be
further from the next than two wrong ones are from each other.
"""

from collections.abc import Iterable, Sequence

from inference.library.image_entry import Entry
from inference.library.keyword_search import Search
from inference.library.normalize import among
from jobqueue.structs import Struct

MOST = 300  # entries that are asked for; the others say nothing new
QUANTILE = 0.95
LEAST, MOST_SHARE = 0.3, 0.8
LEAST_MARGIN, MOST_MARGIN = 0.03, 0.2


class Figures(Struct, frozen=True):
    threshold: float = 0.5  # of `Search.share`
    margin: float = 0.1
    negatives: int = 0  # wrong pairs that these were learnt from


def alike(one: Entry, other: Entry) -> bool:
    """Whether both are about the same, so that neither would be wrong for the other."""
    if not one.subjects or not other.subjects:
        return one.subjects == other.subjects and one.caption == other.caption
    return any(among(name, other.subjects) for name in one.subjects)


def calibrate(
    search: Search, entries: Sequence[Entry], over: Iterable[int] | None = None
) -> Figures:
    """`over` are the entries whose captions are asked for, as their places; None: all."""
    asked = list(range(len(entries)) if over is None else over)
    bests, gaps = [], []
    for at in asked[:: max(1, len(asked) // MOST)]:
        text = entries[at].caption
        wrong = [n for n in search.ranked(text) if not alike(entries[n], entries[at])]
        names = entries[at].subjects
        shares = sorted((search.share(text, n, lacks=names) for n in wrong), reverse=True)
        bests += shares[:1]
        gaps += [shares[0] - shares[1]] if len(shares) > 1 else []
    if not bests:
        return Figures()
    return Figures(
        threshold=round(min(max(_quantile(bests), LEAST), MOST_SHARE), 3),
        margin=round(min(max(_quantile(gaps, 0.5), LEAST_MARGIN), MOST_MARGIN), 3),
        negatives=len(bests),
    )


def _quantile(values: Sequence[float], share: float = QUANTILE) -> float:
    ordered = sorted(values) or [0.0]
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

"""Search by words: SQLite's FTS5 finds candidates by bm25; how well one fits is a share.

bm25 ranks, but its numbers mean nothing from one library to the next. The share does: of the
weight of all words that a need has, those that the entry has too. A word's weight is its rarity in
the library; one that no entry has is the heaviest, and lowers every share.
"""

import math
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from inference.library.image_entry import Entry
from inference.library.normalize import terms
from jobqueue.article import Kind

MOST = 40  # candidates

KIND_WORDS = {
    Kind.PHOTO: "photo photograph 照片",
    Kind.PORTRAIT: "portrait 肖像 画像",
    Kind.MAP: "map plan 地图",
    Kind.DRAWING: "drawing painting illustration 绘画 插图",
    Kind.CHART: "chart diagram 图表",
}


def words_of(entry: Entry) -> Counter[str]:
    kind = KIND_WORDS[entry.kind] if entry.kind else ""
    texts = (entry.caption, entry.alt, kind, *entry.names, *entry.tags)
    return Counter(term for text in texts for term in terms(text))


class Search:
    """Over entries as they are given: built in memory, so it is never out of date."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._words = [words_of(entry) for entry in entries]
        self._found = Counter(term for words in self._words for term in words)
        self._table = sqlite3.connect(":memory:", check_same_thread=False)
        self._table.execute("CREATE VIRTUAL TABLE pictures USING fts5(words, tokenize='unicode61')")
        self._table.executemany(
            "INSERT INTO pictures(rowid, words) VALUES (?, ?)",
            ((at, " ".join(words.elements())) for at, words in enumerate(self._words)),
        )

    def ranked(self, text: str, most: int = MOST) -> list[int]:
        """Entries that have a word of it, by bm25, as their places in the sequence."""
        query = " OR ".join(f'"{term}"' for term in sorted(set(terms(text))))
        if not query:
            return []
        rows = self._table.execute(
            "SELECT rowid FROM pictures WHERE pictures MATCH ? ORDER BY rank, rowid LIMIT ?",
            (query, most),
        )
        return [int(at) for (at,) in rows]

    def share(
        self, text: str, at: int, *, named: Iterable[str] = (), lacks: Iterable[str] = ()
    ) -> float:
        """0 to 1: how much of it the entry has. `named` are names in it that are known to be the
        entry's, under whatever other name; `lacks` are those that are known to be another's."""
        given = {term for name in named for term in terms(name)}
        wanted = set(terms(text)) | given
        weights = {term: self._weight(term) for term in wanted}
        has = (self._words[at].keys() | given) - {term for name in lacks for term in terms(name)}
        return _ratio(sum(weights[term] for term in wanted & has), sum(weights.values()))

    def _weight(self, term: str) -> float:
        return math.log(1 + (len(self._words) + 1) / (self._found[term] + 0.5))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0

"""Search by words: SQLite's FTS5 finds candidates by bm25, and a share tells how well one fits.

bm25 ranks, but its numbers mean nothing from one library to the next. The share does: of the weight
of all words that a request has, those that the entry has too. A word's weight is its rarity in the
library; one that no entry has is the heaviest, and lowers every share.
"""

import math
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from inference.library.image_entry import ImageEntry
from inference.library.normalize import is_pair, terms, tokens

MAX_CANDIDATES = 40
COMMON_SHARE, LEAST_COMMON = 0.1, 3  # of the captions, from which on a word is common


class KeywordSearch:
    """An index of the entries in memory, so it is never out of date."""

    def __init__(self, entries: Sequence[ImageEntry]) -> None:
        self._words = [_words_of(entry) for entry in entries]
        self._frequency = Counter(term for words in self._words for term in words)
        self._in_captions = Counter(
            term
            for entry in entries
            for term in {
                each
                for word in tokens(entry.caption)
                if word.written.islower()
                for each in terms(word.text)
            }
        )
        self._table = sqlite3.connect(":memory:", check_same_thread=False)
        self._table.execute("CREATE VIRTUAL TABLE pictures USING fts5(words, tokenize='unicode61')")
        self._table.executemany(
            "INSERT INTO pictures(rowid, words) VALUES (?, ?)",
            ((at, " ".join(words.elements())) for at, words in enumerate(self._words)),
        )

    def rank(self, text: str, limit: int = MAX_CANDIDATES) -> list[int]:
        """Return the positions of entries that have a word of the text, the best first."""
        query = " OR ".join(f'"{term}"' for term in sorted(set(terms(text))))
        if not query:
            return []
        rows = self._table.execute(
            "SELECT rowid FROM pictures WHERE pictures MATCH ? ORDER BY rank, rowid LIMIT ?",
            (query, limit),
        )
        return [int(at) for (at,) in rows]

    def share(
        self, text: str, at: int, *, given: Iterable[str] = (), lacking: Iterable[str] = ()
    ) -> float:
        """Return how much of the text's weight an entry has, from 0 to 1.

        `given` are names that count as the entry's, `lacking` those that count as another's.
        """
        own = {term for name in given for term in terms(name)}
        wanted = set(terms(text)) | own
        weights = {term: self._weight(term) for term in wanted}
        has = (self._words[at].keys() | own) - {term for name in lacking for term in terms(name)}
        whole = sum(weights.values())
        return sum(weights[term] for term in wanted & has) / whole if whole else 0.0

    def has(self, term: str, at: int) -> bool:
        return term in self._words[at]

    def is_common(self, term: str) -> bool:
        """Return whether so many captions have it, without a capital, that it is hardly a part of a
        name."""
        return self._in_captions[term] >= max(COMMON_SHARE * len(self._words), LEAST_COMMON)

    def is_strange(self, term: str) -> bool:
        """Return whether no entry has a word; pairs of characters may lie across words."""
        return not self._frequency[term] and not is_pair(term)

    def is_unique(self, term: str) -> bool:
        """Return whether one entry alone has it."""
        return self._frequency[term] == 1

    def _weight(self, term: str) -> float:
        count = self._frequency[term]
        weight: float = math.log(1 + (len(self._words) + 1) / (count + 0.5)) ** 2
        return weight / 2 if is_pair(term) and not count else weight


def _words_of(entry: ImageEntry) -> Counter[str]:
    texts = (entry.caption, entry.alt, *entry.names, *entry.periods, *entry.tags)
    return Counter(term for text in texts for term in terms(text))

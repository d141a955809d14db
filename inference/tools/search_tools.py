"""Tools that search the conversation and the question's files."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from inference.tools.base import Context, ToolFailed

MOST = 5  # passages
PASSAGE_CHARS = 600

_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]")  # Chinese by the character


async def search_channel(context: Context, words: str) -> str:
    """Search what was said earlier in this conversation.

    words: what to look for
    """
    said = [
        (f"{turn.user_name}: {turn.prompt}\nanswer: {turn.answer}")[: 4 * PASSAGE_CHARS]
        for turn in context.turns
    ]
    return _format_best(words, said, "Nothing of that was said here.")


async def search_files(context: Context, words: str) -> str:
    """Search the text of the files that were attached to the question.

    words: what to look for
    """
    passages = [
        f"{name}: {passage}"
        for name, data in context.files.items()
        for passage in passages_of(data.decode("utf-8", "replace"))
    ]
    if not passages:
        raise ToolFailed("no file is attached")
    return _format_best(words, passages, "The files say nothing of that.")


def passages_of(text: str) -> Iterable[str]:
    """Paragraphs, the long ones in pieces."""
    for paragraph in re.split(r"\n\s*\n", text):
        whole = paragraph.strip()
        for start in range(0, len(whole), PASSAGE_CHARS):
            yield whole[start : start + PASSAGE_CHARS]


def _format_best(words: str, passages: Sequence[str], nothing: str) -> str:
    ranked = best(words, passages)
    return "\n\n".join(ranked) if ranked else nothing


def best(words: str, passages: Sequence[str]) -> list[str]:
    """At most MOST passages with words in common, the rarer the better (tf-idf)."""
    counts = [Counter(_WORD.findall(passage.lower())) for passage in passages]
    wanted = set(_WORD.findall(words.lower()))
    having = {word: sum(word in count for count in counts) for word in wanted}

    def score(number: int) -> float:
        return sum(
            (1 + math.log(counts[number][word])) * math.log(1 + len(passages) / having[word])
            for word in wanted
            if counts[number][word]
        )

    ranked = sorted(range(len(passages)), key=lambda number: (-score(number), number))
    return [passages[number] for number in ranked[:MOST] if score(number) > 0]

"""Tools that search the conversation and the files and pictures of the question."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from inference import ocr
from inference.tools.base import Context, Tool, ToolFailed, cut, tool
from inference.tools.public_http import PUBLIC

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
    """Return at most MOST passages with words of the query; rare words count more (tf-idf)."""
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


# Tools that search the internet; off unless the operator enables them.

ARXIV = "https://export.arxiv.org/api/query"
MOST_RESULTS = 5
_ATOM = "{http://www.w3.org/2005/Atom}"


async def arxiv(words: str) -> str:
    """Search arXiv for scientific papers: titles, authors, links and abstracts.

    words: what the papers are about
    """
    query = {"search_query": f"all:{words}", "max_results": str(MOST_RESULTS)}
    return papers(await PUBLIC.get(ARXIV, query))


def papers(feed: bytes) -> str:
    if b"<!DOCTYPE" in feed or b"<!ENTITY" in feed:  # no entities, so no flood of them
        raise ToolFailed("arXiv answered with something else than papers")
    try:
        entries = ElementTree.fromstring(feed).findall(f"{_ATOM}entry")  # noqa: S314
    except ElementTree.ParseError as error:
        raise ToolFailed("arXiv answered with something else than papers") from error
    return "\n\n".join(map(_paper, entries)) or "No paper was found."


def _paper(entry: ElementTree.Element) -> str:
    def text(tag: str) -> str:
        return " ".join((entry.findtext(f"{_ATOM}{tag}") or "").split())

    names = [" ".join((each.text or "").split()) for each in entry.iter(f"{_ATOM}name")]
    authors = ", ".join(names[:4]) + (" and others" if len(names) > 4 else "")
    head = f"{text('title')} ({authors}, {text('published')[:4]})"
    return "\n".join((head, text("id"), cut(text("summary"), 600)))


def web_search(endpoint: str) -> Tool:
    """A tool that asks a SearXNG instance of the operator's choice."""

    async def search_web(words: str) -> str:
        """Search the web: titles, links and first lines of pages.

        words: what to look for
        """
        return pages(await PUBLIC.get(endpoint, {"q": words, "format": "json"}))

    return tool(search_web)


def pages(answer: bytes) -> str:
    try:
        results = json.loads(answer)["results"][:MOST_RESULTS]
        found = [f"{each['title']}\n{each['url']}\n{each.get('content', '')}" for each in results]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ToolFailed("the search engine answered with something else than JSON") from error
    return "\n\n".join(cut(page, 600) for page in found) or "Nothing was found."


async def read_picture(context: Context, picture: str) -> str:
    """Read the text in a picture that was posted in this conversation.

    picture: its file name, as photo.png
    """
    if not context.pictures:
        raise ToolFailed("no picture was posted")
    if picture not in context.pictures:
        names = ", ".join(context.pictures)
        raise ToolFailed(f"there is no picture {picture!r}; there are {names}")
    try:
        lines = await ocr.read_text(context.pictures[picture])
    except ocr.Unread as error:
        raise ToolFailed(f"{picture} cannot be read: {error}") from error
    return cut(ocr.in_rows(lines)) or "There is no text in it."

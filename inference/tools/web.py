"""Tools that search the internet; off unless the operator enables them."""

import json
from xml.etree import ElementTree

from inference.tools.base import Tool, ToolFailed, cut, tool
from inference.tools.public_http import PUBLIC

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

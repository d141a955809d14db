"""The tools of a worker."""

from inference import ocr
from inference.tools.base import Tool, tool
from inference.tools.calculator import calculate
from inference.tools.clock import now
from inference.tools.ocr_tool import read_picture
from inference.tools.python import python
from inference.tools.search_tools import arxiv, search_channel, search_files, web_search
from inference.tools.units import convert

PYTHON, CONVERT, READ_PICTURE = tool(python), tool(convert), tool(read_picture)
_INSIDE = (CONVERT, *(tool(each) for each in (calculate, now, search_channel, search_files)))


def tools(*, programs: bool, with_arxiv: bool = False, search: str = "") -> tuple[Tool, ...]:
    """`search` is the address of a search engine; empty: there is none."""
    return (
        *((PYTHON,) if programs else ()),
        *_INSIDE,
        *((READ_PICTURE,) if ocr.is_installed() else ()),
        *((tool(arxiv),) if with_arxiv else ()),
        *((web_search(search),) if search else ()),
    )

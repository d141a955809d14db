"""The tools of a worker: their list, and those that need no module of their own."""

from datetime import datetime
from zoneinfo import ZoneInfo

from inference import ocr
from inference.sandbox.result import ProgramRefused, ProgramResult, Status
from inference.tools.base import Context, Outcome, Tool, ToolFailed, cut, tool
from inference.tools.calculator import calculate
from inference.tools.search_tools import (
    arxiv,
    read_picture,
    search_channel,
    search_files,
    web_search,
)
from inference.tools.units import convert
from jobqueue.schema import CallStatus

_STATUS: dict[Status, CallStatus] = {"ok": CallStatus.OK, "timeout": CallStatus.TIMEOUT}
_WHY: dict[Status, str] = {
    "timeout": "The program took too long and was stopped.",
    "memory": "The program ran out of memory.",
    "output_limit": "The program printed too much and was stopped.",
    "killed": "The program was stopped from outside.",
}


async def python(context: Context, program: str) -> Outcome:
    """Run a Python program and return what it prints. sympy, numpy and matplotlib are installed;
    there is no network, and nothing is kept between programs. Figures are shown to the user.

    program: Python source that prints its result
    """
    if context.sandbox is None:
        raise ToolFailed("programs cannot be run here")
    try:
        result = await context.sandbox.run(program, files=context.files)
    except ProgramRefused as refused:
        return Outcome(str(refused), CallStatus.REFUSED)
    return Outcome(
        cut(describe_result(result)),
        _STATUS.get(result.status, CallStatus.FAILED),
        result.figures,
        round(result.duration_ms),
    )


def describe_result(result: ProgramResult) -> str:
    """Describe a program's output and last value, then what went wrong."""
    parts = [result.stdout.strip(), result.value if result.ok and result.value else ""]
    if not result.ok:
        parts += [result.stderr.strip(), _WHY.get(result.status, "")]
    return "\n".join(part for part in parts if part)


async def now(zone: str = "UTC") -> str:
    """Tell the current date, weekday and time.

    zone: a time zone of the IANA database, as Asia/Shanghai or America/New_York
    """
    try:
        there = datetime.now(ZoneInfo(zone))
    except (ValueError, OSError, KeyError) as error:  # not found, or no name at all
        raise ToolFailed(f"there is no time zone {zone!r}") from error
    return there.strftime("%A, %Y-%m-%d %H:%M:%S %Z (UTC%z)")


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

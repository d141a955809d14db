"""The tool that tells the date and time."""

from datetime import datetime
from zoneinfo import ZoneInfo

from inference.tools.base import ToolFailed


async def now(zone: str = "UTC") -> str:
    """Tell the current date, weekday and time.

    zone: a time zone of the IANA database, as Asia/Shanghai or America/New_York
    """
    try:
        there = datetime.now(ZoneInfo(zone))
    except (ValueError, OSError, KeyError) as error:  # not found, or no name at all
        raise ToolFailed(f"there is no time zone {zone!r}") from error
    return there.strftime("%A, %Y-%m-%d %H:%M:%S %Z (UTC%z)")

"""A tool call written as JSON, parsed while it is being written."""

import json
import re
from typing import Any

import msgspec

from inference.tool_parsers.base import ToolRequest
from inference.tools.base import Tool

PYTHON = "python"

_NAME = re.compile(r'^\s*\{\s*"name"\s*:\s*"([\w.-]+)"')
_PROGRAM = re.compile(r'"program"\s*:\s*"((?:[^"\\]|\\.)*)', re.DOTALL)
_HALF_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?$|\\u[dD][89abAB][0-9a-fA-F]{2}(?:\\u?)?$")


class _Call(msgspec.Struct, frozen=True):
    name: str
    arguments: dict[str, Any]


def describe(tool: Tool) -> dict[str, object]:
    return {"name": tool.name, "description": tool.description, "parameters": tool.parameters}


def json_call(written: str, field: str, *, complete: bool) -> ToolRequest:
    """The call that `written` is, or is becoming; `field` holds its arguments.

    What is not exactly a call has a fault, and never runs.
    """
    name = found[1] if (found := _NAME.match(written)) else ""
    shown = _certain_part(name, written)
    if not complete:
        return ToolRequest(name, shown)
    try:
        said = json.loads(written, strict=False)  # models write line ends as they are
        call = msgspec.convert({"name": said["name"], "arguments": said[field]}, _Call)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return ToolRequest(name, shown, True, fault=f"this is not a call as JSON: {_why(error)}")
    return ToolRequest(call.name, _format_call(call), True, arguments=call.arguments)


def made_call(name: str, arguments: str, *, complete: bool) -> ToolRequest:
    """A call whose name and arguments an engine has told apart."""
    return json_call(
        f'{{"name": {json.dumps(name)}, "arguments": {arguments or "{}"}}}'
        if complete
        else f'{{"name": {json.dumps(name)}, "arguments": {arguments}',
        "arguments",
        complete=complete,
    )


def _certain_part(name: str, written: str) -> str:
    """Return the certain part of an unfinished call: of a program the text so far, of other
    arguments nothing.
    """
    if name != PYTHON or not (program := _PROGRAM.search(written)):
        return ""
    certain = _HALF_ESCAPE.sub("", program[1])
    try:
        return str(json.loads(f'"{certain}"', strict=False))
    except ValueError:
        return ""


def _format_call(call: _Call) -> str:
    program = call.arguments.get("program")
    if call.name == PYTHON and isinstance(program, str):
        return program
    return json.dumps(call.arguments, ensure_ascii=False)


def _why(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)

"""Reads and checks the lines of a script before anything starts. Each is a JSON object:

    {"user": "ada", "channel": "general", "do": "slash", "command": "chat",
     "options": {"prompt": "hello"}, "attach": ["a.png"]}

A `user` and a `channel` are created when a line first names them. The channel "dm" is the user's
direct channel. `attach` is relative to the script. `to` is the index of an earlier line, from 0.
Without it, the action waits for the bot's latest message in the channel.

    slash         command, options           say           content
    reply         content, to, ping          click         label or custom_id, values, to
    submit        values, to (a modal)       context_menu  command, to
    autocomplete  command, focused, options  react         emoji, to
    thread        name, to                   wait          timeout; for: "idle" or "text", to
    kill          target: SIGKILL; the process is restarted a moment later
    stop          target: SIGTERM; the process stays ended until `start` or `restart`
    pause, resume, start, restart            target: worker, eye, bot or redis
    fault         status, route, times, retry_after, after; or kind: latency (ms), cut, disconnect
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.discord.fault_injection import Fault
from playground.discord.json_types import File, Json

DEFAULT_USER, DEFAULT_CHANNEL, DEFAULT_WAIT_S = "ada", "general", 60.0
PROCESSES = ("worker", "eye", "bot", "redis")
PROCESS_ACTIONS = ("kill", "stop", "start", "pause", "resume", "restart")
_TARGET_NAMES = ("target", "process", "of", "what")
_TEXT_NAMES = ("content", "text", "message")
_COMPONENT_NAMES = ("component", "label", "custom_id", "button")


class ScriptError(Exception):
    """The script cannot be read, or a line is invalid."""


@dataclass(frozen=True, slots=True)
class ScriptAction:
    """One line. `fields` holds the fields of this kind of action, under their first names."""

    index: int  # of the line in the file, from 0
    do: str
    user: str = DEFAULT_USER
    channel: str = DEFAULT_CHANNEL
    server: str | None = None
    files: tuple[File, ...] = ()
    fields: Json = field(default_factory=dict)


def read_script(path: Path) -> list[ScriptAction]:
    """Read a script. Empty lines and lines that begin with # or // are comments.

    Raises:
        ScriptError: with the number of the line, from 1.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScriptError(f"{path}: {error}") from error
    actions = []
    for index, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith(("#", "//")):
            try:
                actions.append(_parse_line(index, line, path.parent))
            except ValueError as error:
                raise ScriptError(f"{path}:{index + 1}: {error}") from error
    return actions


def _parse_line(index: int, line: str, folder: Path) -> ScriptAction:
    try:
        body = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:  # from deep nesting
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise ValueError("not a JSON object")
    do = body.get("do")
    if do not in _PARSERS:
        raise ValueError(f'"do" must be one of {", ".join(sorted(_PARSERS))}, not {do!r}')
    return ScriptAction(
        index=index,
        do=do,
        user=_get_text(body, "user", default=DEFAULT_USER),
        channel=_get_text(body, "channel", default=DEFAULT_CHANNEL).removeprefix("#"),
        server=_get_text(body, "server", default="") or None,
        files=tuple(_read_files(body, folder)),
        fields=_PARSERS[do](body),
    )


def _read_files(body: Json, folder: Path) -> Iterator[File]:
    names = body.get("attach", [])
    for name in [names] if isinstance(names, str) else names:
        path = folder / name
        try:
            yield File(path.name, path.read_bytes())
        except OSError as error:
            raise ValueError(f"attach: {path}: {error.strerror}") from error


# --- fields of each kind of action ------------------------------------------------------------


def _parse_slash(body: Json) -> Json:
    options = body.get("options", {})
    if not isinstance(options, dict):
        raise ValueError('"options" must be an object of names and values')
    return {"command": _get_text(body, "command").removeprefix("/"), "options": options}


def _parse_autocomplete(body: Json) -> Json:
    return {**_parse_slash(body), "focused": _get_text(body, "focused")}


def _parse_say(body: Json) -> Json:
    needed = not body.get("attach")
    return {"content": _get_text(body, *_TEXT_NAMES, default=None if needed else "")}


def _parse_reply(body: Json) -> Json:
    return {**_parse_say(body), "to": _get_index(body, "to"), "ping": bool(body.get("ping", True))}


def _parse_click(body: Json) -> Json:
    values = body.get("values", [])
    return {
        "component": _get_text(body, *_COMPONENT_NAMES),
        "values": [values] if isinstance(values, str) else list(values),
        "to": _get_index(body, "to"),
    }


def _parse_submit(body: Json) -> Json:
    values = body.get("values", {})
    if not isinstance(values, dict):
        raise ValueError('"values" must be an object of field ids and values')
    return {"values": values, "to": _get_index(body, "to")}


def _parse_context_menu(body: Json) -> Json:
    return {"command": _get_text(body, "command"), "to": _get_index(body, "to")}


def _parse_react(body: Json) -> Json:
    return {"emoji": _get_text(body, "emoji"), "to": _get_index(body, "to")}


def _parse_thread(body: Json) -> Json:
    return {"name": _get_text(body, "name"), "to": _get_index(body, "to")}


def _parse_wait(body: Json) -> Json:
    what = _get_text(body, "for", default="idle")
    if what not in ("idle", "text"):
        raise ValueError(f'"for" must be idle or text, not {what!r}')
    timeout = _get_number(body, "timeout", DEFAULT_WAIT_S)
    return {"for": what, "to": _get_index(body, "to"), "timeout": timeout}


def _parse_process(body: Json) -> Json:
    target = _get_text(body, *_TARGET_NAMES)
    if target not in PROCESSES:
        raise ValueError(f'"target" must be one of {", ".join(PROCESSES)}, not {target!r}')
    return {"target": target}


def _parse_fault(body: Json) -> Json:
    kind = body.get("kind", "status")
    route = _get_text(body, "route", default="*")
    times = body.get("times", 1)
    if times is not None and (not isinstance(times, int) or times < 1):
        raise ValueError('"times" must be a whole number of 1 or more, or null for ever')
    after = bool(body.get("after", False))
    if kind == "latency":
        seconds = _get_number(body, "ms", 300.0) / 1000
        return {"fault": Fault("latency", route, times, seconds=seconds)}
    if kind == "cut":
        return {"fault": Fault("cut", route, times, after=after)}
    if kind == "disconnect":
        return {"fault": None, "code": int(_get_number(body, "code", 4000))}
    if kind != "status":
        raise ValueError(f'"kind" must be status, latency, cut or disconnect, not {kind!r}')
    status = body.get("status")
    if not isinstance(status, int) or not 400 <= status <= 599:
        raise ValueError('"status" must be an HTTP status such as 429 or 500')
    retry_after = _get_number(body, "retry_after", 0.3)
    return {
        "fault": Fault("status", route, times, status=status, retry_after=retry_after, after=after)
    }


_PARSERS: dict[str, Callable[[Json], Json]] = {
    "slash": _parse_slash,
    "autocomplete": _parse_autocomplete,
    "say": _parse_say,
    "reply": _parse_reply,
    "click": _parse_click,
    "submit": _parse_submit,
    "context_menu": _parse_context_menu,
    "react": _parse_react,
    "thread": _parse_thread,
    "wait": _parse_wait,
    "fault": _parse_fault,
    **dict.fromkeys(PROCESS_ACTIONS, _parse_process),
}


def _get_text(body: Json, *names: str, default: str | None = None) -> str:
    value: Any = next((body[name] for name in names if name in body), default)
    if value is None:
        raise ValueError(f'"{names[0]}" is missing')
    if not isinstance(value, str):
        raise ValueError(f'"{names[0]}" must be a text, not {value!r}')
    return value


def _get_number(body: Json, name: str, default: float) -> float:
    value = body.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        raise ValueError(f'"{name}" must be a number of 0 or more, not {value!r}')
    return float(value)


def _get_index(body: Json, name: str) -> int | None:
    value = body.get(name)
    if value is not None and not isinstance(value, int):
        raise ValueError(f'"{name}" must be the index of a line, from 0, not {value!r}')
    return value


def check_references(actions: Sequence[ScriptAction]) -> None:
    """Raise ScriptError where a `to` does not name an earlier line."""
    earlier: set[int] = set()
    for action in actions:
        to = action.fields.get("to")
        if to is not None and to not in earlier:
            raise ScriptError(f'line {action.index + 1}: "to" names no earlier action: {to}')
        earlier.add(action.index)

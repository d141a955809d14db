"""Injected faults: the next requests of a route fail, wait, or lose their connection."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from playground.discord.errors import DiscordError
from playground.discord.json_types import File, Json

FaultKind = Literal["status", "latency", "cut"]


@dataclass
class Fault:
    """A fault of a route: "METHOD /path" or "/path" below /api/v10, with `*` as wildcard."""

    kind: FaultKind = "status"
    route: str = "*"
    times: int | None = 1  # None is for ever
    status: int = 500
    retry_after: float = 0.3  # of a 429, seconds
    seconds: float = 0.0  # of a latency
    after: bool = False  # the request takes effect, and only its answer is lost
    hits: int = 0

    def matches(self, method: str, path: str) -> bool:
        spent = self.times is not None and self.hits >= self.times
        wanted = self.route if " " in self.route else f"* {self.route}"
        return not spent and fnmatchcase(f"{method} {path}", wanted)


@dataclass
class FaultInjector:
    faults: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> Fault:
        self.faults.append(fault)
        return fault

    def clear(self) -> None:
        self.faults.clear()

    async def apply(self, method: str, path: str) -> Fault | None:
        """Wait for the latencies of this request, and return its failure, if any."""
        failure = None
        for fault in self.faults:
            if not fault.matches(method, path) or (fault.kind != "latency" and failure):
                continue
            fault.hits += 1
            if fault.kind == "latency":
                await asyncio.sleep(fault.seconds)
            else:
                failure = fault
        return failure


@dataclass(frozen=True)
class MessageFilter:
    """A filter that refuses the bot's messages with a certain text, or with any file.

    Codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
    """

    status: int
    code: int
    message: str
    text: str = ""  # this text is refused
    files: bool = False  # every file is refused

    def check(self, body: Json, files: Sequence[File]) -> None:
        shown = {key: body.get(key) for key in ("content", "embeds", "components")}
        held = bool(self.text) and self.text in json.dumps(shown, ensure_ascii=False)
        if held or (self.files and files):
            raise DiscordError(self.status, self.code, self.message)


HARMFUL_LINK = MessageFilter(
    400, 240000, "Message blocked by harmful links filter", text="https://harmful.example"
)
UPLOADS_LIMITED = MessageFilter(
    400, 400001, "Access to file uploads has been limited for this guild", files=True
)
TOO_LARGE = MessageFilter(413, 40005, "Request entity too large", files=True)

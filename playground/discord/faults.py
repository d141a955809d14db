"""Faults to order: the next requests of a route fail, wait, or lose their connection."""

import asyncio
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

FaultKind = Literal["status", "latency", "cut"]


@dataclass
class Fault:
    """`route` is "METHOD /path" below /api/v10 with `*` for anything, or only a path."""

    kind: FaultKind = "status"
    route: str = "*"
    times: int | None = 1  # None is for ever
    status: int = 500
    retry_after: float = 0.3  # of a 429, seconds
    seconds: float = 0.0  # of a latency
    after: bool = False  # the request takes effect, only its answer is lost
    hits: int = 0

    def matches(self, method: str, path: str) -> bool:
        spent = self.times is not None and self.hits >= self.times
        wanted = self.route if " " in self.route else f"* {self.route}"
        return not spent and fnmatchcase(f"{method} {path}", wanted)


@dataclass
class Faults:
    ordered: list[Fault] = field(default_factory=list)

    def add(self, fault: Fault) -> Fault:
        self.ordered.append(fault)
        return fault

    def clear(self) -> None:
        self.ordered.clear()

    async def strike(self, method: str, path: str) -> Fault | None:
        """The failure for this request, if any; latencies are waited for here."""
        failure = None
        for fault in self.ordered:
            if not fault.matches(method, path) or (fault.kind != "latency" and failure):
                continue
            fault.hits += 1
            if fault.kind == "latency":
                await asyncio.sleep(fault.seconds)
            else:
                failure = fault
        return failure

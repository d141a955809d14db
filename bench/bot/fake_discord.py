"""The local Discord in a process of its own, and the actions of people in it.

    with FakeDiscord() as discord:
        ...  # a bot connects to discord.api_url with discord.token
        delays = discord.perform(AskAtOnce(200))

An action is a frozen value with a method `act`. It goes over a pipe, one at a time.
"""

import asyncio
import itertools
import multiprocessing
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol, Self, TypeVar

from playground.discord.event_bus import DiscordEvent, Subscription
from playground.discord.interactions import Interaction
from playground.discord.json_types import Json
from playground.discord.server import LocalDiscord
from playground.discord.user_actions import UserActions

_QUESTION = re.compile(r"\A(?:> .*(?:\n|\Z))+")  # the question quoted above an answer

T_co = TypeVar("T_co", covariant=True)

PATIENCE_S = 120.0
SPREAD_S = 3.0  # within which all streams begin
PER_GUILD = 50  # people


class UserAction(Protocol[T_co]):
    async def act(self, discord: LocalDiscord) -> T_co: ...


class FakeDiscord:
    def __enter__(self) -> Self:
        self._pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_run, args=(theirs,), daemon=True)
        self._process.start()
        self.api_url, self.token = self._pipe.recv()
        return self

    def __exit__(self, *exc: object) -> None:
        self._pipe.close()
        self._process.join()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def perform(self, act: UserAction[T_co]) -> T_co:
        self._pipe.send(act)
        answer: T_co = self._pipe.recv()
        return answer


def _run(pipe: Connection) -> None:
    asyncio.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    async with LocalDiscord() as discord:
        pipe.send((discord.api_url, discord.token))
        while True:
            try:
                act: UserAction[Any] = await asyncio.to_thread(pipe.recv)
            except EOFError:
                return
            pipe.send(await act.act(discord))


# --- actions ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WaitForBot:
    """Wait for the bot and its commands."""

    servers: int = 1

    async def act(self, discord: LocalDiscord) -> None:
        async with asyncio.timeout(PATIENCE_S):
            backend = discord.backend
            while not (backend.gateway.is_online and backend.commands.list_all()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@dataclass(frozen=True)
class AskAtOnce:
    """So many people use `/chat` within one second. Returns the milliseconds to each
    acknowledgement; infinite if "the application did not respond"."""

    people: int
    prompt: str = "hello"

    async def act(self, discord: LocalDiscord) -> list[float]:
        world = discord.world
        people = list(
            itertools.islice(_create_people(world, f"burst{time.monotonic_ns()}"), self.people)
        )
        with world.subscribe() as events:
            began = time.monotonic()
            asked = []
            for number, (user, place) in enumerate(people):
                await asyncio.sleep(began + number / self.people - time.monotonic())
                asked.append(await world.slash(user, place, "chat", {"prompt": self.prompt}))
            await asyncio.gather(*(interaction.wait_acknowledged() for interaction in asked))
            answered = {i.id for i in asked if not i.failed}
            heard = await _read_acknowledgements(events, answered)
            await _await_answers(asked)
        return [heard.get(i.id, float("inf")) - i.created * 1000 for i in asked]


async def _read_acknowledgements(events: Subscription, wanted: set[str]) -> dict[str, float]:
    """Return the time of each acknowledgement, in ms since 1970."""
    times_ms: dict[str, float] = {}
    while wanted - times_ms.keys():
        event = await anext(events)
        if event.name == "INTERACTION_SUCCESS":
            times_ms[event.data["id"]] = event.time * 1000
    return times_ms


async def _await_answers(asked: list[Interaction]) -> None:
    """Wait for all answers, so that measurements do not overlap."""

    def waiting() -> bool:
        responses = [i.response for i in asked if i.response is not None]
        return any(not r.data["content"] or _is_growing(r.data) for r in responses)

    give_up = time.monotonic() + PATIENCE_S
    while waiting() and time.monotonic() < give_up:  # noqa: ASYNC110 — of what people see
        await asyncio.sleep(0.2)


def _is_growing(message: Json) -> bool:
    rows = message["components"]
    return any(b["custom_id"].startswith("stop:") for row in rows for b in row["components"])


def _create_people(world: UserActions, name: str) -> Iterator[tuple[str, str]]:
    """Create people with a channel each, over as many servers as needed."""
    for number in itertools.count():
        if number % PER_GUILD == 0:
            guild = world.create_guild(f"{name}-{number}")
        user = world.create_user(f"{name}-{number}", guild)
        yield user["id"], world.create_channel(f"{name}-{number}", guild)["id"]


@dataclass(frozen=True)
class VisibleEdit:
    """A text of an answer and the time when it became visible."""

    at_ms: float
    content: str


@dataclass(frozen=True)
class AskStreams:
    """So many channels get an answer at once, in one message each. Returns the visible edits of
    each answer, by job."""

    channels: int
    prompt: str
    mention: bool = False  # else by `/chat`

    async def act(self, discord: LocalDiscord) -> dict[str, list[VisibleEdit]]:
        world = discord.world
        name = f"stream{time.monotonic_ns()}"
        people = list(itertools.islice(_create_people(world, name), self.channels))
        async with _record_edits(world) as edits:
            jobs = []
            for user, place in people:
                jobs.append(await self._ask(world, user, place))
                await asyncio.sleep(SPREAD_S / self.channels)
            async with asyncio.timeout(PATIENCE_S):
                while not all(job in edits.complete for job in jobs):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        return {job: edits.seen[job] for job in jobs}

    async def _ask(self, world: UserActions, user: str, place: str) -> str:
        if self.mention:
            return (await world.say(user, place, f"@commonroom {self.prompt}")).id
        return (await world.slash(user, place, "chat", {"prompt": self.prompt})).id


class _EditRecorder:
    def __init__(self) -> None:
        self.seen: dict[str, list[VisibleEdit]] = {}
        self.complete: set[str] = set()

    def note(self, seen: DiscordEvent) -> None:
        if (
            seen.message_change not in ("create", "edit")
            or not seen.responds_to
            or not seen.data["content"]
        ):
            return
        content = _QUESTION.sub("", seen.data["content"])
        self.seen.setdefault(seen.responds_to, []).append(VisibleEdit(seen.time * 1000, content))
        if not _is_growing(seen.data):
            self.complete.add(seen.responds_to)


@asynccontextmanager
async def _record_edits(world: UserActions) -> AsyncIterator[_EditRecorder]:
    edits = _EditRecorder()
    world.state.bus.attach(edits.note)
    try:
        yield edits
    finally:
        world.state.bus.detach(edits.note)


@dataclass(frozen=True)
class CreateServers:
    """Create servers with channels and roles."""

    servers: int
    channels: int = 10
    roles: int = 5

    async def act(self, discord: LocalDiscord) -> None:
        world = discord.world
        for number in range(self.servers):
            guild = world.create_guild(f"server-{number}")
            for channel in range(self.channels):
                world.create_channel(f"channel-{number}-{channel}", guild)
            for role in range(self.roles):
                world.state.add_role(guild, f"role-{role}")


@dataclass(frozen=True)
class SayAtRate:
    """People talk to each other, so many messages a second."""

    per_s: int
    seconds: float

    async def act(self, discord: LocalDiscord) -> int:
        world = discord.world
        people = list(itertools.islice(_create_people(world, f"chat{time.monotonic_ns()}"), 20))
        began, said = time.monotonic(), 0
        while (now := time.monotonic() - began) < self.seconds:
            while said < now * self.per_s:
                user, place = people[said % len(people)]
                await world.say(user, place, "so I said to him, why not")
                said += 1
            await asyncio.sleep(0.01)
        return said

"""Follows what comes of a script's actions: which messages answer what, and what is still open."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, Self, TypeVar

from playground.discord.event_bus import Subscription
from playground.discord.interactions import Interaction
from playground.discord.state import Message
from playground.discord.user_actions import World
from playground.outcome_judge import Outcome, Question
from playground.transcript import Transcript

LOOK_S = 0.2  # between looks at what no event tells of

T = TypeVar("T")


class System(Protocol):
    """What stands behind the bot."""

    async def control(self, verb: str, target: str) -> None:
        """Kill, stop, start, pause, resume or restart a process."""

    async def settled(self) -> bool:
        """Whether every process is as it should be and no job is queued, runs or is unshown."""
        ...

    async def result(self, question: str) -> str | None:
        """The whole text of an answer, where it is known."""
        ...


class Follower:
    """While its context is open, everything that is seen goes to the transcript."""

    def __init__(self, world: World, system: System, transcript: Transcript) -> None:
        self.interactions: dict[int, Interaction] = {}  # by action
        self.posted: dict[int, Message] = {}  # what people wrote, by action
        self.questions: list[Question] = []
        self._world = world
        self._system = system
        self._transcript = transcript
        self._answers: dict[str, list[Message]] = {}  # by what they answer, oldest first
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._changes = self._world.subscribe().__enter__()
        self._watching = asyncio.create_task(self._watch(self._changes))
        return self

    async def __aexit__(self, *_: object) -> None:
        """What was seen until now is still printed."""
        self._changes.__exit__(None, None, None)
        await self._watching

    async def _watch(self, changes: Subscription) -> None:
        async for seen in changes:
            if seen.event == "MESSAGE_CREATE" and seen.answers is not None:
                message = self._existing(seen.channel, seen.data["id"])
                if message is not None and message.data["author"]["bot"]:
                    self._answers.setdefault(seen.answers, []).append(message)
            self._transcript.see(seen)
            self._changed.set()

    # --- what belongs to an action ------------------------------------------------------------

    def track_interaction(self, action: int, interaction: Interaction, *, asks: bool) -> None:
        self._transcript.actions[interaction.id] = action
        self.interactions[action] = interaction
        if asks:
            self.questions.append(Question(action, interaction.id))

    def track_message(self, action: int, message: Message) -> None:
        """A message asks the bot in a DM, by a mention, or as a reply to one of its own."""
        self._transcript.actions[message.id] = action
        self.posted[action] = message
        bot = self._world.state.bot["id"]
        quoted = message.data.get("referenced_message")
        mentioned = any(user["id"] == bot for user in message.data["mentions"])
        replies = quoted is not None and quoted["author"]["id"] == bot
        if mentioned or replies or "guild_id" not in message.data:
            self.questions.append(Question(action, message.id))

    def answers_to(self, action: int) -> list[Message]:
        """The bot's messages that answer an action and are still there, oldest first."""
        ids = [key for key, index in self._transcript.actions.items() if index == action]
        return [message for key in ids for message in self._visible(key)]

    def _family(self, asked: str) -> list[str]:
        """The ids of an interaction and of those that sent the forms it opened."""
        ids = [asked]
        for interaction in self.interactions.values():
            if interaction.opener is not None and interaction.opener.id in ids:
                ids.append(interaction.id)
        return ids

    def _visible(self, question: str) -> list[Message]:
        messages = [m for key in self._family(question) for m in self._answers.get(key, [])]
        return [m for m in messages if self._existing(m.channel, m.id) is not None]

    def _existing(self, channel: str | None, message: str) -> Message | None:
        return self._world.state.messages.get(channel or "", {}).get(message)

    # --- waiting and judging ------------------------------------------------------------------

    async def until(self, find: Callable[[], T | None], timeout_s: float) -> T | None:
        """What `find` finds, as soon as it does."""
        try:
            async with asyncio.timeout(timeout_s):
                while (found := find()) is None:
                    await self._tick()
        except TimeoutError:
            return None
        return found

    async def wait_until_idle(self, timeout_s: float) -> None:
        """Until every question has its answer, every interaction its response, and the system
        behind has nothing left to show; says so on stderr when it takes longer."""
        try:
            async with asyncio.timeout(timeout_s):
                while not await self._idle():
                    await self._tick()
        except TimeoutError:
            lines = [question.action + 1 for question in self._judged() if question.open]
            where = f"; no full answer yet to lines {lines}" if lines else ""
            print(f"wait: not idle after {timeout_s:g} s{where}", file=sys.stderr)

    async def _idle(self) -> bool:
        if any(not i.settled.is_set() for i in self.interactions.values()):
            return False
        if any(question.open for question in self._judged()):
            return False
        return await self._system.settled()

    async def judged(self) -> list[Question]:
        """Every question, with what is visible of its answer and what that should hold."""
        for question in self._judged():
            if question.id is not None and question.outcome is not Outcome.LOST:
                question.result = await self._result(question.id)
        return self.questions

    async def _result(self, question: str) -> str | None:
        """Of the form that was sent last, or of the question itself."""
        for key in reversed(self._family(question)):
            if (result := await self._system.result(key)) is not None:
                return result
        return None

    def _judged(self) -> list[Question]:
        for question in self.questions:
            question.messages = self._visible(question.id or "")
            ids = self._family(question.id or "")
            asked = [i for i in self.interactions.values() if i.id in ids]
            question.form_open = bool(asked) and asked[-1].modal is not None
            if asked and asked[-1].failed:
                question.failed = True
                question.refused = asked[-1].unheard
        return self.questions

    async def _tick(self) -> None:
        """Until something is seen, or a moment has passed."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self._changed.wait()

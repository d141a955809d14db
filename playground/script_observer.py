"""Follows what comes of a script's actions: which messages answer what, and what is still open."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, Self, TypeVar

from playground.discord.event_bus import Subscription
from playground.discord.interactions import Interaction
from playground.discord.state import StoredMessage
from playground.discord.user_actions import UserActions
from playground.outcome_judge import QuestionOutcome, ScriptQuestion
from playground.transcript import TranscriptPrinter

POLL_S = 0.2  # between looks at what no event tells of

T = TypeVar("T")


class SystemUnderTest(Protocol):
    """What stands behind the bot."""

    async def control(self, verb: str, target: str) -> None:
        """Kill, stop, start, pause, resume or restart a process."""

    async def is_idle(self) -> bool:
        """Whether every process is as it should be and no job is queued, runs or is unshown."""
        ...

    async def read_result(self, question: str) -> str | None:
        """The whole text of an answer, where it is known."""
        ...


class ScriptObserver:
    """While its context is open, everything that is seen goes to the transcript."""

    def __init__(
        self, world: UserActions, system: SystemUnderTest, transcript: TranscriptPrinter
    ) -> None:
        self.interactions: dict[int, Interaction] = {}  # by action
        self.posted: dict[int, StoredMessage] = {}  # what people wrote, by action
        self.questions: list[ScriptQuestion] = []
        self._world = world
        self._system = system
        self._transcript = transcript
        self._answers: dict[str, list[StoredMessage]] = {}  # by what they answer, oldest first
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
            if seen.name == "MESSAGE_CREATE" and seen.responds_to is not None:
                message = self._find_message(seen.channel, seen.data["id"])
                if message is not None and message.data["author"]["bot"]:
                    self._answers.setdefault(seen.responds_to, []).append(message)
            self._transcript.print_event(seen)
            self._changed.set()

    # --- what belongs to an action ------------------------------------------------------------

    def track_interaction(self, action: int, interaction: Interaction, *, asks: bool) -> None:
        self._transcript.actions[interaction.id] = action
        self.interactions[action] = interaction
        if asks:
            self.questions.append(ScriptQuestion(action, interaction.id))

    def track_message(self, action: int, message: StoredMessage) -> None:
        """A message asks the bot in a DM, by a mention, or as a reply to one of its own."""
        self._transcript.actions[message.id] = action
        self.posted[action] = message
        bot = self._world.state.bot["id"]
        quoted = message.data.get("referenced_message")
        mentioned = any(user["id"] == bot for user in message.data["mentions"])
        replies = quoted is not None and quoted["author"]["id"] == bot
        if mentioned or replies or "guild_id" not in message.data:
            self.questions.append(ScriptQuestion(action, message.id))

    def answers_to(self, action: int) -> list[StoredMessage]:
        """The bot's messages that answer an action and are still there, oldest first."""
        ids = [key for key, index in self._transcript.actions.items() if index == action]
        return [message for key in ids for message in self._visible_answers(key)]

    def _related_ids(self, asked: str) -> list[str]:
        """The ids of an interaction and of those that sent the forms it opened."""
        ids = [asked]
        for interaction in self.interactions.values():
            if interaction.opened_by is not None and interaction.opened_by.id in ids:
                ids.append(interaction.id)
        return ids

    def _visible_answers(self, question: str) -> list[StoredMessage]:
        messages = [m for key in self._related_ids(question) for m in self._answers.get(key, [])]
        return [m for m in messages if self._find_message(m.channel, m.id) is not None]

    def _find_message(self, channel: str | None, message: str) -> StoredMessage | None:
        return self._world.state.messages.get(channel or "", {}).get(message)

    # --- waiting and judging ------------------------------------------------------------------

    async def wait_for(self, find: Callable[[], T | None], timeout_s: float) -> T | None:
        """What `find` finds, as soon as it does."""
        try:
            async with asyncio.timeout(timeout_s):
                while (found := find()) is None:
                    await self._wait_for_change()
        except TimeoutError:
            return None
        return found

    async def wait_until_idle(self, timeout_s: float) -> None:
        """Until every question has its answer, every interaction its response, and the system
        behind has nothing left to show; says so on stderr when it takes longer."""
        try:
            async with asyncio.timeout(timeout_s):
                while not await self._is_idle():
                    await self._wait_for_change()
        except TimeoutError:
            lines = [
                question.action + 1 for question in self._update_questions() if question.is_open
            ]
            where = f"; no full answer yet to lines {lines}" if lines else ""
            print(f"wait: not idle after {timeout_s:g} s{where}", file=sys.stderr)

    async def _is_idle(self) -> bool:
        if any(not i.settled.is_set() for i in self.interactions.values()):
            return False
        if any(question.is_open for question in self._update_questions()):
            return False
        return await self._system.is_idle()

    async def collect_questions(self) -> list[ScriptQuestion]:
        """Every question, with what is visible of its answer and what that should hold."""
        for question in self._update_questions():
            if question.id is not None and question.outcome is not QuestionOutcome.LOST:
                question.result = await self._read_result(question.id)
        return self.questions

    async def _read_result(self, question: str) -> str | None:
        """Of the form that was sent last, or of the question itself."""
        for key in reversed(self._related_ids(question)):
            if (result := await self._system.read_result(key)) is not None:
                return result
        return None

    def _update_questions(self) -> list[ScriptQuestion]:
        for question in self.questions:
            question.messages = self._visible_answers(question.id or "")
            ids = self._related_ids(question.id or "")
            asked = [i for i in self.interactions.values() if i.id in ids]
            question.form_open = bool(asked) and asked[-1].modal is not None
            if asked and asked[-1].failed:
                question.failed = True
                question.refused = asked[-1].has_no_listener
        return self.questions

    async def _wait_for_change(self) -> None:
        """Until something is seen, or a moment has passed."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._changed.wait()

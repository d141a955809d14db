"""Observes the effects of a script's actions: the answers to each, and the open questions."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, Self, TypeVar

from jobqueue.errors import QueueError
from jobqueue.event_reader import EventReader
from jobqueue.queue import JobQueue
from jobqueue.schema import Finished
from playground.discord.event_bus import Subscription
from playground.discord.interactions import Interaction
from playground.discord.state import StoredMessage
from playground.discord.user_actions import UserActions
from playground.outcome_judge import QuestionOutcome, ScriptQuestion
from playground.transcript import TranscriptPrinter

READER = "bot-0"  # whose answers a script waits for
RESULT_S = 5.0  # to read one result from the queue
POLL_S = 0.2  # between looks at the processes, which publish no events

T = TypeVar("T")


class SystemUnderTest(Protocol):
    """The system behind the bot: the processes and their queue."""

    async def control(self, verb: str, target: str) -> None:
        """Kill, stop, start, pause, resume or restart a process."""

    async def is_idle(self) -> bool:
        """Return whether all processes are at rest and the bot has shown all answers."""
        ...

    async def read_result(self, question: str) -> str | None:
        """Return the complete text of an answer, where it is known."""
        ...


async def has_delivered_all(queue: JobQueue) -> bool:
    """Return whether the bot has shown all answers; False while the queue does not answer."""
    try:
        return not await queue.list_undelivered(READER)
    except QueueError:
        return False


async def read_result(queue: JobQueue, question: str) -> str | None:
    """Return the text of a job's result, or None where the queue has no such job."""
    try:
        async with asyncio.timeout(RESULT_S), EventReader(queue, "script") as reader:
            async for envelope in reader.follow(question):
                if isinstance(envelope.event, Finished):
                    return envelope.event.text
    except (QueueError, TimeoutError):
        return None
    return None


class ScriptObserver:
    """Prints all events to the transcript inside `async with`, and links answers to questions."""

    def __init__(
        self, world: UserActions, system: SystemUnderTest, transcript: TranscriptPrinter
    ) -> None:
        self.interactions: dict[int, Interaction] = {}  # by action
        self.posted: dict[int, StoredMessage] = {}  # messages of people, by action
        self.questions: list[ScriptQuestion] = []
        self._world = world
        self._system = system
        self._transcript = transcript
        self._answers: dict[
            str, list[StoredMessage]
        ] = {}  # by the id they respond to, oldest first
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._events = self._world.subscribe().__enter__()
        self._watching = asyncio.create_task(self._watch(self._events))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Print the events up to now, then end."""
        self._events.__exit__(None, None, None)
        await self._watching

    async def _watch(self, events: Subscription) -> None:
        async for event in events:
            if event.name == "MESSAGE_CREATE" and event.responds_to is not None:
                message = self._find_message(event.channel, event.data["id"])
                if message is not None and message.data["author"]["bot"]:
                    self._answers.setdefault(event.responds_to, []).append(message)
            self._transcript.print_event(event)
            self._changed.set()

    # --- actions and their answers ------------------------------------------------------------

    def track_interaction(self, action: int, interaction: Interaction, *, asks: bool) -> None:
        self._transcript.actions[interaction.id] = action
        self.interactions[action] = interaction
        if asks:
            self.questions.append(ScriptQuestion(action, interaction.id))

    def track_message(self, action: int, message: StoredMessage) -> None:
        """Track a message. In a DM, with a mention or as a reply to the bot it is a question."""
        self._transcript.actions[message.id] = action
        self.posted[action] = message
        bot = self._world.state.bot["id"]
        quoted = message.data.get("referenced_message")
        mentioned = any(user["id"] == bot for user in message.data["mentions"])
        replies = quoted is not None and quoted["author"]["id"] == bot
        if mentioned or replies or "guild_id" not in message.data:
            self.questions.append(ScriptQuestion(action, message.id))

    def answers_to(self, action: int) -> list[StoredMessage]:
        """Return the bot's messages that answer an action and still exist, oldest first."""
        ids = [key for key, index in self._transcript.actions.items() if index == action]
        return [message for key in ids for message in self._visible_answers(key)]

    def _related_ids(self, asked: str) -> list[str]:
        """Return the ids of an interaction and of the submissions of the modals it opened."""
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

    # --- waiting and questions ----------------------------------------------------------------

    async def wait_for(self, find: Callable[[], T | None], timeout_s: float) -> T | None:
        """Wait until `find` returns a value, and return it. Return None after the timeout."""
        try:
            async with asyncio.timeout(timeout_s):
                while (found := find()) is None:
                    await self._wait_for_change()
        except TimeoutError:
            return None
        return found

    async def wait_until_idle(self, timeout_s: float) -> None:
        """Wait until all questions are answered and the system is idle.

        After the timeout, print the open questions to stderr.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not await self._is_idle():
                    await self._wait_for_change()
        except TimeoutError:
            lines = [q.action + 1 for q in self._update_questions() if q.is_open]
            where = f"; no full answer yet to lines {lines}" if lines else ""
            print(f"wait: not idle after {timeout_s:g} s{where}", file=sys.stderr)

    async def _is_idle(self) -> bool:
        if any(not i.settled.is_set() for i in self.interactions.values()):
            return False
        if any(question.is_open for question in self._update_questions()):
            return False
        return await self._system.is_idle()

    async def collect_questions(self) -> list[ScriptQuestion]:
        """Return all questions with their visible answers and their results in the queue."""
        for question in self._update_questions():
            if question.id is not None and question.outcome is not QuestionOutcome.LOST:
                question.result = await self._read_result(question.id)
        return self.questions

    async def _read_result(self, question: str) -> str | None:
        """Read the result of the last submitted modal, or of the question itself."""
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
        """Wait for an event, or for a moment."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_S):
                await self._changed.wait()

"""Everything that Discord can do wrong to an answer, over real sockets: `make discord-faults`.

Each question meets one fault: a burst of 429, 500 or cut connections, before or after the request
took effect, a token that is over, a deleted message or channel, a permission that is taken away.
It must end in one whole answer or one clear word; in a channel that is gone, in nobody's working
for it. The last line counts it all.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobqueue.embedded_redis import run_embedded_redis
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect
from playground.discord.fault_injection import Fault
from playground.discord.permissions import Permission
from playground.discord.server import LocalDiscord
from playground.outcome_judge import QuestionOutcome, ScriptQuestion, ScriptSummary, summarize
from tests.bot.discord.conftest import Room, growing, holds, scripted

PROMPT = "!tokens 50 !delay 40ms"
PATIENCE_S = 30.0


@dataclass
class FaultTrial:
    """One question in a channel of its own, and what is done to it."""

    room: Room
    channel: str  # and its only person
    dice: random.Random
    faults: int = 0

    async def run(self, index: int) -> ScriptQuestion:
        world = self.room.world
        place, user = world.create_channel(self.channel)["id"], self.channel
        world.create_user(user)
        kind = self.dice.choice(KINDS)
        if kind is FaultTrial.flaky:
            await kind(self, place)
        if self.dice.random() < 0.5:
            asked = (await world.slash(user, place, "chat", {"prompt": PROMPT})).id
        else:
            asked = (await world.say(user, place, f"@commonroom {PROMPT}")).id
        question = ScriptQuestion(index, asked, scripted(PROMPT))
        if kind is not FaultTrial.flaky:
            await self._wait(lambda: self._growing(place))
            # On a busy machine an answer may come whole at once: that one is left alone.
            if self._growing(place):
                await kind(self, place)
            else:
                kind = FaultTrial.flaky
        if kind is FaultTrial.deleted_channel:
            # Nobody is left to tell; the bot must let go of the question.
            question.refused = await self._let_go(asked)
            return question

        def over() -> bool:
            question.messages = self.room.bot_says(self.channel, place)
            return bool(question.messages) and question.outcome in (
                QuestionOutcome.ANSWERED,
                QuestionOutcome.TOLD,
            )

        await self._wait(over)
        if (
            question.outcome not in (QuestionOutcome.ANSWERED, QuestionOutcome.TOLD)
            or question.is_doubled
        ):
            shown = [m.data["content"][-40:] for m in question.messages]
            print(f"{self.channel}: {kind.__name__} {question.outcome} {shown}", flush=True)
        return question

    async def flaky(self, place: str) -> None:
        """Requests fail a few times, in the way that was diced."""
        route = self.dice.choice([f"* /channels/{place}/*", "PATCH /webhooks/*"])
        times = self.dice.randint(1, 3)
        kind = self.dice.choice(["429", "500", "502", "cut"])
        after = self.dice.random() < 0.5
        if kind == "cut":
            fault = Fault("cut", route, times, after=after)
        else:
            fault = Fault("status", route, times, status=int(kind), retry_after=0.2, after=after)
        self.room.discord.backend.faults.add(fault)
        self.faults += times

    async def deleted_message(self, place: str) -> None:
        world = self.room.world
        world.set_permissions(place, "bob", allow=Permission.MANAGE_MESSAGES)
        for message in self.room.bot_says(self.channel, place)[:1]:
            await world.delete_message("bob", place, message.id)
        self.faults += 1

    async def deleted_channel(self, place: str) -> None:
        self.room.world.state.remove_channel(self.room.world.state.channels[place])
        self.faults += 1

    async def lost_permission(self, place: str) -> None:
        me = self.room.world.state.bot["id"]
        self.room.world.set_permissions(place, me, deny=Permission.SEND_MESSAGES)
        self.faults += 1

    async def expired_token(self, place: str) -> None:
        state = self.room.discord.backend.interactions.by_id
        for interaction in list(state.values()):
            if interaction.channel == place:
                route = f"* /webhooks/*/{interaction.token}*"
                self.room.discord.backend.faults.add(Fault("status", route, None, status=401))
        self.faults += 1

    def _growing(self, place: str) -> bool:
        return any(map(growing, self.room.bot_says(self.channel, place)))

    async def _let_go(self, job: str) -> bool:
        """Whether the bot tries no more, and nobody works for it any more."""
        queue = JobQueue(self.room.redis)

        async def over() -> bool:
            left = {each.id for each, _ in await queue.list_undelivered("bot-0")}
            return job not in left and (await queue.get_status(job)).state.is_terminal

        with suppress(TimeoutError):
            await holds(over, PATIENCE_S)
        return await over()

    async def _wait(self, look: Callable[[], bool]) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while not look() and time.monotonic() < give_up:  # noqa: ASYNC110 — of what people see
            await asyncio.sleep(0.1)


KINDS: list[Callable[[FaultTrial, str], Awaitable[None]]] = [
    FaultTrial.flaky,
    FaultTrial.flaky,
    FaultTrial.flaky,
    FaultTrial.deleted_message,
    FaultTrial.deleted_channel,
    FaultTrial.lost_permission,
    FaultTrial.expired_token,
]


async def run(faults: int, seed: int, *, at_once: int = 16) -> tuple[int, ScriptSummary]:
    """How many faults there were, and what became of the questions."""
    dice, questions, struck = random.Random(seed), list[ScriptQuestion](), 0
    with tempfile.TemporaryDirectory() as folder:
        async with (
            run_embedded_redis(Path(folder)) as url,
            connect(url) as redis,
            LocalDiscord() as discord,
        ):
            discord.backend.rate_limits.enabled = False
            discord.world.create_user("bob")
            room = Room(discord, redis, url)
            settings = room.settings
            async with room.worker(), room.bot(settings):
                while struck < faults:
                    trials = [
                        FaultTrial(room, f"room-{len(questions)}-{n}", random.Random(dice.random()))
                        for n in range(at_once)
                    ]
                    questions += await asyncio.gather(
                        *(trial.run(len(questions) + n) for n, trial in enumerate(trials))
                    )
                    struck += sum(trial.faults for trial in trials)
                    discord.backend.faults.clear()
    return struck, summarize(questions)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.faults.discord_faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    struck, summary = asyncio.run(run(arguments.faults, arguments.seed))
    print(
        f"faults={struck} answered={summary.answered} told={summary.told} "
        f"lost={summary.lost} doubled={summary.doubled}"
    )
    sys.exit(0 if summary.is_success else 1)


if __name__ == "__main__":
    main()

"""What the people of `make soak` do, in local Discord's own process."""

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import playground.web_ui
from playground.discord.fault_injection import Fault
from playground.discord.json_types import File
from playground.discord.server import LocalDiscord
from playground.discord.user_actions import UserActions
from playground.outcome_judge import QuestionOutcome, ScriptQuestion, ScriptSummary, summarize
from tests.bot.discord.conftest import growing

GUILDS = 10
PATIENCE_S = 90.0  # for one answer; a killed worker's lease must run out before another goes on
PAUSE_S = 2.0  # a person reads and types, on average
FAULT_EVERY_S = 5.0
SAMPLES = Path(playground.web_ui.__path__[0]) / "static" / "samples"
CHAT = "{n} !tokens {tokens} !delay 30ms"
PROBLEM = "x in 2x + {n} = 10 !think I solve for x. !run print((10 - {n}) / 2) !say x is {{output}}"


@dataclass(frozen=True)
class SoakResult:
    summary: ScriptSummary
    faults: int  # requests of the bot that were made to fail


@dataclass(frozen=True)
class SoakLoad:
    """For so many seconds `talking` people at a time, each in any free one of the channels."""

    seconds: float
    channels: int
    talking: int
    seed: int

    async def act(self, discord: LocalDiscord) -> SoakResult:
        discord.backend.rate_limits.enabled = False
        crowd = Crowd(discord, random.Random(self.seed))
        crowd.create_people(self.channels)
        end = time.monotonic() + self.seconds
        async with asyncio.TaskGroup() as group:
            trouble = group.create_task(crowd.inject_faults())
            async with asyncio.TaskGroup() as people:
                for _ in range(self.talking):
                    people.create_task(crowd.talk(end))
            trouble.cancel()
        return SoakResult(summarize(crowd.questions), crowd.faults)


@dataclass
class Crowd:
    discord: LocalDiscord
    dice: random.Random
    free: list[tuple[str, str]] = field(default_factory=list)  # a channel and its person
    questions: list[ScriptQuestion] = field(default_factory=list)
    faults: int = 0

    @property
    def world(self) -> UserActions:
        return self.discord.world

    def create_people(self, channels: int) -> None:
        guilds = [self.world.create_guild(f"soak-{n}") for n in range(min(GUILDS, channels))]
        for number in range(channels):
            guild = guilds[number % len(guilds)]
            user = self.world.create_user(f"soak-{number}", guild)["id"]
            self.free.append((self.world.create_channel(f"soak-{number}", guild)["id"], user))

    async def talk(self, end: float) -> None:
        while time.monotonic() < end:
            await asyncio.sleep(self.dice.expovariate(1 / PAUSE_S))
            place = self.free.pop(self.dice.randrange(len(self.free)))
            question = await self._ask(*place)
            await self._see(question, *place)
            self.questions.append(question)
            self.free.append(place)

    async def _ask(self, channel: str, user: str) -> ScriptQuestion:
        world, number = self.world, len(self.questions)
        kind = self.dice.choices(("chat", "mention", "solve", "picture"), (50, 35, 10, 5))[0]
        words = CHAT.format(n=number, tokens=self.dice.randint(5, 250))
        match kind:
            case "chat":
                asked = (await world.slash(user, channel, "chat", {"prompt": words})).id
            case "mention":
                asked = (await world.say(user, channel, f"@commonroom {words}")).id
            case "solve":
                problem = PROBLEM.format(n=number % 9)
                asked = (await world.slash(user, channel, "solve", {"problem": problem})).id
            case _:
                photo = File("number.png", (SAMPLES / "number.png").read_bytes())
                asked = (await world.say(user, channel, "@commonroom what is it?", [photo])).id
        return ScriptQuestion(number, asked)

    async def _see(self, question: ScriptQuestion, channel: str, user: str) -> None:
        """Until its answer is there to stay."""
        assert question.id is not None
        me, since = self.world.state.bot["id"], int(question.id)
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            await asyncio.sleep(0.25)
            question.messages = [
                message
                for message in self.world.messages(channel, user)
                if message.author == me and int(message.id) > since
            ]
            settled = question.outcome in (QuestionOutcome.ANSWERED, QuestionOutcome.TOLD)
            if settled and not any(map(growing, question.messages)):
                return
        shown = [message.data["content"][-60:] for message in question.messages]
        print(f"soak: question {question.action} is {question.outcome}: {shown}", flush=True)

    async def inject_faults(self) -> None:
        """Requests of the bot fail, before or after they took effect. Until cancelled."""
        while True:
            await asyncio.sleep(self.dice.expovariate(1 / FAULT_EVERY_S))
            route = self.dice.choice(["* /channels/*/messages*", "PATCH /webhooks/*"])
            times, after = self.dice.randint(1, 3), self.dice.random() < 0.5
            status = self.dice.choice([429, 500, 502, None])
            faults = self.discord.backend.faults
            faults.clear()
            if status is None:
                faults.add(Fault("cut", route, times, after=after))
            else:
                faults.add(
                    Fault("status", route, times, status=status, retry_after=0.2, after=after)
                )
            self.faults += times

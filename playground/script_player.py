"""Performs a script's actions on the local Discord, as the people it names."""

from collections.abc import Callable, Iterable

from playground.discord.client_forms import find_component
from playground.discord.json_types import Json, UserError
from playground.discord.message_validation import text_of
from playground.discord.server import LocalDiscord
from playground.discord.state import Message
from playground.outcome_judge import Question
from playground.script_actions import PROCESS_ACTIONS, Action
from playground.script_observer import Follower, System
from playground.transcript import Transcript

# Commands that put a question to the model; the others must only be acknowledged.
QUESTIONS = ("chat", "ask", "thread", "solve", "article")
DM_NAMES = ("dm", "@bot")
TARGET_S = 30.0  # how long a click or reply waits for the message it is meant for


class Player:
    def __init__(
        self, discord: LocalDiscord, system: System, follower: Follower, transcript: Transcript
    ) -> None:
        self._discord = discord
        self._world = discord.world
        self._system = system
        self._follower = follower
        self._transcript = transcript

    # --- performing ---------------------------------------------------------------------------

    async def perform(self, action: Action) -> None:
        """What Discord's client would refuse is told to the person, and thereby to the reader."""
        try:
            await _PERFORM[action.do](self, action)
        except UserError as error:
            self._transcript.refused(action.index, action.user, str(error))
            if action.do in ("slash", "say", "reply", "context_menu"):
                self._follower.questions.append(Question(action.index, None, refused=True))

    async def _slash(self, action: Action) -> None:
        command = action.given["command"]
        interaction = await self._world.slash(
            *self._place(action), command, action.given["options"], action.files
        )
        self._follower.track_interaction(
            action.index, interaction, asks=command.split()[0] in QUESTIONS
        )

    async def _context_menu(self, action: Action) -> None:
        user, channel = self._place(action)
        target = await self._target(action, channel)
        interaction = await self._world.context_menu(
            user, channel, action.given["command"], target.id
        )
        self._follower.track_interaction(action.index, interaction, asks=True)

    async def _autocomplete(self, action: Action) -> None:
        given = action.given
        choices = await self._world.autocomplete(
            *self._place(action), given["command"], given["focused"], given["options"]
        )
        self._transcript.choices(action.index, action.user, choices)

    async def _say(self, action: Action) -> None:
        user, channel = self._place(action)
        message = await self._world.say(user, channel, action.given["content"], action.files)
        self._follower.track_message(action.index, message)

    async def _reply(self, action: Action) -> None:
        user, channel = self._place(action)
        target = await self._target(action, channel)
        message = await self._world.reply(
            user,
            target.channel,
            target.id,
            action.given["content"],
            action.files,
            ping=action.given["ping"],
        )
        self._follower.track_message(action.index, message)

    async def _click(self, action: Action) -> None:
        user, channel = self._place(action)
        wanted = action.given["component"]
        target = await self._target(action, channel, lambda m: _offers(m, wanted))
        interaction = await self._world.click(
            user, target.channel, target.id, wanted, action.given["values"]
        )
        self._follower.track_interaction(action.index, interaction, asks=False)

    async def _submit(self, action: Action) -> None:
        """The modal that an earlier action opened; the latest one unless `to` names it."""
        to = action.given["to"]
        opened = (
            self._follower.interactions if to is None else {to: self._follower.interactions[to]}
        )
        found = await self._follower.until(
            lambda: next((i for i in reversed(opened.values()) if i.modal), None), TARGET_S
        )
        if found is None:
            raise UserError("no modal is open")
        interaction = await self._world.submit_modal(found, action.given["values"])
        self._follower.track_interaction(action.index, interaction, asks=False)

    async def _react(self, action: Action) -> None:
        user, channel = self._place(action)
        target = await self._target(action, channel)
        await self._world.react(user, target.channel, target.id, action.given["emoji"])

    async def _thread(self, action: Action) -> None:
        user, channel = self._place(action)
        to = action.given["to"]
        starter = None if to is None else (await self._target(action, channel)).id
        self._world.create_thread(user, channel, action.given["name"], message=starter)

    async def _wait(self, action: Action) -> None:
        """Until all is idle, or until the answer to a question has begun to be visible."""
        if action.given["for"] == "idle":
            await self._follower.wait_until_idle(action.given["timeout"])
            return
        to = action.given["to"]
        asked = self._follower.questions[-1].action if to is None else to
        await self._follower.until(lambda: self._begun(asked), action.given["timeout"])

    def _begun(self, asked: int) -> Message | None:
        answers = self._follower.answers_to(asked)
        return next((m for m in answers if text_of(m.data)), None)

    async def _control(self, action: Action) -> None:
        await self._system.control(action.do, action.given["target"])

    async def _fault(self, action: Action) -> None:
        if action.given["fault"] is None:
            await self._discord.backend.gateway.disconnect(action.given["code"])
        else:
            self._discord.backend.faults.add(action.given["fault"])

    # --- people and places --------------------------------------------------------------------

    def _place(self, action: Action) -> tuple[str, str]:
        """The ids of who acts and where; made where they are not known yet."""
        guild = self._guild(action.server)
        users = [m["user"] for m in self._world.state.members[guild["id"]].values()]
        user = _named(users, action.user) or self._join(action.user, guild)
        if action.channel in DM_NAMES:
            return user["id"], self._world.open_dm(user["id"])["id"]
        mine = [c for c in self._world.state.channels.values() if c.get("guild_id") == guild["id"]]
        channel = _named(mine, action.channel) or self._world.create_channel(action.channel, guild)
        return user["id"], channel["id"]

    def _guild(self, name: str | None) -> Json:
        if name is None:
            return self._world.guild
        return _named(self._world.state.guilds.values(), name) or self._world.create_guild(name)

    def _join(self, name: str, guild: Json) -> Json:
        known = _named(self._world.state.users.values(), name)
        if known is None:
            return self._world.create_user(name, guild)
        self._world.state.join(guild, known)
        return known

    # --- the messages that actions are about ---------------------------------------------------

    async def _target(
        self, action: Action, channel: str, fits: Callable[[Message], bool] = lambda _: True
    ) -> Message:
        """What `to` names, else the bot's latest message there; waited for if need be."""

        def find() -> Message | None:
            candidates = self._candidates(action, channel)
            return next((m for m in reversed(candidates) if fits(m)), None)

        found = await self._follower.until(find, TARGET_S)
        if found is None:
            raise UserError("there is no such message of the bot to act on")
        return found

    def _candidates(self, action: Action, channel: str) -> list[Message]:
        to = action.given.get("to")
        if to is None:
            bot = self._world.state.bot["id"]
            shown = self._world.messages(channel, action.user)
            return [m for m in shown if m.author == bot]
        messages = self._follower.answers_to(to)
        if not messages and to in self._follower.posted:
            return [self._follower.posted[to]]
        return messages


_PERFORM = {
    "slash": Player._slash,
    "context_menu": Player._context_menu,
    "autocomplete": Player._autocomplete,
    "say": Player._say,
    "reply": Player._reply,
    "click": Player._click,
    "submit": Player._submit,
    "react": Player._react,
    "thread": Player._thread,
    "wait": Player._wait,
    "fault": Player._fault,
    **dict.fromkeys(PROCESS_ACTIONS, Player._control),
}


def _offers(message: Message, component: str) -> bool:
    try:
        find_component(message.data["components"], component)
    except UserError:
        return False
    return True


def _named(things: Iterable[Json], name: str) -> Json | None:
    return next((t for t in things if name in (t["id"], t.get("username"), t.get("name"))), None)

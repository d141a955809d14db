"""Performs a script's actions on the local Discord, as the users that it names."""

from collections.abc import Callable, Iterable

from playground.discord.components import message_text
from playground.discord.interaction_payloads import find_component
from playground.discord.json_types import Json, UserError
from playground.discord.server import LocalDiscord
from playground.discord.state import StoredMessage
from playground.outcome_judge import ScriptQuestion
from playground.script_actions import PROCESS_ACTIONS, ScriptAction
from playground.script_observer import ScriptObserver, SystemUnderTest
from playground.transcript import TranscriptPrinter

# The commands that ask the model. The others need only an acknowledgement.
QUESTION_COMMANDS = ("chat", "ask", "thread", "solve", "article")
DM_NAMES = ("dm", "@bot")
TARGET_S = 30.0  # how long a click or a reply waits for its message


class ScriptPlayer:
    def __init__(
        self,
        discord: LocalDiscord,
        system: SystemUnderTest,
        observer: ScriptObserver,
        transcript: TranscriptPrinter,
    ) -> None:
        self._discord = discord
        self._world = discord.world
        self._system = system
        self._observer = observer
        self._transcript = transcript

    # --- actions ------------------------------------------------------------------------------

    async def perform(self, action: ScriptAction) -> None:
        """Perform one action. Print the reason where Discord's client would refuse it."""
        try:
            await _PERFORM[action.do](self, action)
        except UserError as error:
            self._transcript.print_refusal(action.index, action.user, str(error))
            if action.do in ("slash", "say", "reply", "context_menu"):
                self._observer.questions.append(ScriptQuestion(action.index, None, refused=True))

    async def _slash(self, action: ScriptAction) -> None:
        command = action.fields["command"]
        interaction = await self._world.slash(
            *self._resolve_place(action), command, action.fields["options"], action.files
        )
        self._observer.track_interaction(
            action.index, interaction, asks=command.split()[0] in QUESTION_COMMANDS
        )

    async def _context_menu(self, action: ScriptAction) -> None:
        user, channel = self._resolve_place(action)
        target = await self._wait_for_target(action, channel)
        interaction = await self._world.context_menu(
            user, channel, action.fields["command"], target.id
        )
        self._observer.track_interaction(action.index, interaction, asks=True)

    async def _autocomplete(self, action: ScriptAction) -> None:
        given = action.fields
        choices = await self._world.autocomplete(
            *self._resolve_place(action), given["command"], given["focused"], given["options"]
        )
        self._transcript.print_choices(action.index, action.user, choices)

    async def _say(self, action: ScriptAction) -> None:
        user, channel = self._resolve_place(action)
        message = await self._world.say(user, channel, action.fields["content"], action.files)
        self._observer.track_message(action.index, message)

    async def _reply(self, action: ScriptAction) -> None:
        user, channel = self._resolve_place(action)
        target = await self._wait_for_target(action, channel)
        message = await self._world.reply(
            user,
            target.channel,
            target.id,
            action.fields["content"],
            action.files,
            ping=action.fields["ping"],
        )
        self._observer.track_message(action.index, message)

    async def _click(self, action: ScriptAction) -> None:
        user, channel = self._resolve_place(action)
        wanted = action.fields["component"]
        target = await self._wait_for_target(action, channel, lambda m: _has_component(m, wanted))
        interaction = await self._world.click(
            user, target.channel, target.id, wanted, action.fields["values"]
        )
        self._observer.track_interaction(action.index, interaction, asks=False)

    async def _submit(self, action: ScriptAction) -> None:
        """Submit the modal that the action `to` opened, or else the latest one."""
        to = action.fields["to"]
        opened = (
            self._observer.interactions if to is None else {to: self._observer.interactions[to]}
        )
        found = await self._observer.wait_for(
            lambda: next((i for i in reversed(opened.values()) if i.modal), None), TARGET_S
        )
        if found is None:
            raise UserError("no modal is open")
        interaction = await self._world.submit_modal(found, action.fields["values"])
        self._observer.track_interaction(action.index, interaction, asks=False)

    async def _react(self, action: ScriptAction) -> None:
        user, channel = self._resolve_place(action)
        target = await self._wait_for_target(action, channel)
        await self._world.react(user, target.channel, target.id, action.fields["emoji"])

    async def _thread(self, action: ScriptAction) -> None:
        user, channel = self._resolve_place(action)
        to = action.fields["to"]
        starter = None if to is None else (await self._wait_for_target(action, channel)).id
        self._world.create_thread(user, channel, action.fields["name"], message=starter)

    async def _wait(self, action: ScriptAction) -> None:
        """Wait until the system is idle, or until an answer has visible text."""
        if action.fields["for"] == "idle":
            await self._observer.wait_until_idle(action.fields["timeout"])
            return
        to = action.fields["to"]
        asked = self._observer.questions[-1].action if to is None else to

        def find_visible_answer() -> StoredMessage | None:
            answers = self._observer.answers_to(asked)
            return next((m for m in answers if message_text(m.data)), None)

        await self._observer.wait_for(find_visible_answer, action.fields["timeout"])

    async def _control(self, action: ScriptAction) -> None:
        await self._system.control(action.do, action.fields["target"])

    async def _fault(self, action: ScriptAction) -> None:
        if action.fields["fault"] is None:
            await self._discord.backend.gateway.disconnect(action.fields["code"])
        else:
            self._discord.backend.faults.add(action.fields["fault"])

    # --- users and channels -------------------------------------------------------------------

    def _resolve_place(self, action: ScriptAction) -> tuple[str, str]:
        """Return the ids of the user and the channel. Create them where they are new."""
        guild = self._guild(action.server)
        users = [m["user"] for m in self._world.state.members[guild["id"]].values()]
        user = _find_named(users, action.user) or self._add_member(action.user, guild)
        if action.channel in DM_NAMES:
            return user["id"], self._world.open_dm(user["id"])["id"]
        mine = [c for c in self._world.state.channels.values() if c.get("guild_id") == guild["id"]]
        channel = _find_named(mine, action.channel)
        channel = channel or self._world.create_channel(action.channel, guild)
        return user["id"], channel["id"]

    def _guild(self, name: str | None) -> Json:
        if name is None:
            return self._world.guild
        guild = _find_named(self._world.state.guilds.values(), name)
        return guild or self._world.create_guild(name)

    def _add_member(self, name: str, guild: Json) -> Json:
        known = _find_named(self._world.state.users.values(), name)
        if known is None:
            return self._world.create_user(name, guild)
        self._world.state.add_member(guild, known)
        return known

    # --- target messages ----------------------------------------------------------------------

    async def _wait_for_target(
        self,
        action: ScriptAction,
        channel: str,
        fits: Callable[[StoredMessage], bool] = lambda _: True,
    ) -> StoredMessage:
        """Wait for a message of the action `to`, or else for the bot's latest one there."""

        def find() -> StoredMessage | None:
            candidates = self._candidates(action, channel)
            return next((m for m in reversed(candidates) if fits(m)), None)

        found = await self._observer.wait_for(find, TARGET_S)
        if found is None:
            raise UserError("there is no such message of the bot to act on")
        return found

    def _candidates(self, action: ScriptAction, channel: str) -> list[StoredMessage]:
        to = action.fields.get("to")
        if to is None:
            bot = self._world.state.bot["id"]
            shown = self._world.messages(channel, action.user)
            return [m for m in shown if m.author == bot]
        messages = self._observer.answers_to(to)
        if not messages and to in self._observer.posted:
            return [self._observer.posted[to]]
        return messages


_PERFORM = {
    "slash": ScriptPlayer._slash,
    "context_menu": ScriptPlayer._context_menu,
    "autocomplete": ScriptPlayer._autocomplete,
    "say": ScriptPlayer._say,
    "reply": ScriptPlayer._reply,
    "click": ScriptPlayer._click,
    "submit": ScriptPlayer._submit,
    "react": ScriptPlayer._react,
    "thread": ScriptPlayer._thread,
    "wait": ScriptPlayer._wait,
    "fault": ScriptPlayer._fault,
    **dict.fromkeys(PROCESS_ACTIONS, ScriptPlayer._control),
}


def _has_component(message: StoredMessage, component: str) -> bool:
    try:
        find_component(message.data["components"], component)
    except UserError:
        return False
    return True


def _find_named(things: Iterable[Json], name: str) -> Json | None:
    return next((t for t in things if name in (t["id"], t.get("username"), t.get("name"))), None)

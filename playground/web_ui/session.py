"""One open page: the person it acts as, what it sees, what it asks for."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from playground.discord.errors import DiscordError
from playground.discord.event_bus import DiscordEvent, Subscription
from playground.discord.json_types import Json, UserError
from playground.discord.user_actions import UserActions
from playground.web_ui.actions import NoResponseError, PageActions, PageUser, Uploads
from playground.web_ui.presenter import Presenter

STATUS_SECONDS = 1.0
# Errors of a packet whose fields have wrong types.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
LOCALES = ("en-US", "zh-CN")
# The page's packet for each event of the local Discord.
PAGE_EVENTS = {
    "MESSAGE_CREATE": "message",
    "MESSAGE_UPDATE": "message",
    "MESSAGE_REACTION_ADD": "message",
    "MESSAGE_REACTION_REMOVE": "message",
    "MESSAGE_DELETE": "message_delete",
    "TYPING_START": "typing",
    "CHANNEL_CREATE": "channel",
    "CHANNEL_UPDATE": "channel",
    "THREAD_CREATE": "channel",
    "THREAD_UPDATE": "channel",
    "CHANNEL_DELETE": "channel_delete",
    "THREAD_DELETE": "channel_delete",
    "GUILD_MEMBER_ADD": "user",
    "PRESENCE_UPDATE": "user",
    "GUILD_APPLICATION_COMMAND_INDEX_UPDATE": "commands",
    "INTERACTION_MODAL_CREATE": "modal",
}


class ProcessControl(Protocol):
    """The starter of the processes, which knows their states."""

    def status_rows(self) -> list[Json]:
        """Return each process's name, state, progress (0 to 1 or None), detail, memory (bytes)."""

    async def read_queue_view(self) -> Json:
        """Return the queue's statistics and its latest questions."""

    async def control(self, verb: str, name: str) -> None: ...


class PageSession:
    def __init__(
        self,
        socket: web.WebSocketResponse,
        world: UserActions,
        uploads: Uploads,
        supervisor: ProcessControl | None,
    ) -> None:
        self._socket = socket
        self._world = world
        self._view = Presenter(world)
        self._supervisor = supervisor
        self._actions = PageActions(world, uploads)
        self._outbox: asyncio.Queue[Json] = asyncio.Queue()
        self._person = PageUser(id="")
        self._status: list[Json] = []

    async def run(self, hello: Mapping[str, Any]) -> None:
        """Send everything in the order in which it was queued, until the page closes."""
        with self._world.subscribe() as changes:
            self._switch_user(hello.get("user"), hello.get("locale"))
            async with asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(self._send()),
                    tasks.create_task(self._watch(changes)),
                    tasks.create_task(self._watch_status()),
                ]
                async for frame in self._socket:
                    if frame.type is WSMsgType.TEXT:
                        tasks.create_task(self._answer(_parse_request(frame.data)))
                for task in background:
                    task.cancel()

    # --- out ----------------------------------------------------------------------------------

    async def _send(self) -> None:
        while not self._socket.closed:
            packet = await self._outbox.get()
            try:
                await self._socket.send_json(packet)
            except ConnectionError:
                return

    def _push(self, event: str, data: Any) -> None:
        self._outbox.put_nowait({"event": event, "data": data})

    async def _watch(self, changes: Subscription) -> None:
        async for event in changes:
            if self._world.can_see(self._person.id, event):
                self._show(event)

    def _show(self, event: DiscordEvent) -> None:
        if push := PAGE_EVENTS.get(event.name):
            self._push(push, self._present(push, event.data))

    def _present(self, push: str, data: Json) -> Any:
        match push:
            case "message":
                return self._view.message(
                    data if "content" in data else self._find_reacted_message(data)
                )
            case "channel":
                return self._view.channel(data)
            case "user":
                return self._view.user(self._world.state.user(data["user"]["id"]))
            case "commands":
                return self._view.commands(self._person.id, self._person.locale)
            case "modal":
                return self._view.modal(data)
            case _:
                return data

    def _find_reacted_message(self, reaction: Json) -> Json:
        return self._world.state.message(reaction["channel_id"], reaction["message_id"]).data

    async def _watch_status(self) -> None:
        while self._supervisor is not None:
            self._push_status(self._supervisor)
            await asyncio.sleep(STATUS_SECONDS)

    def _push_status(self, supervisor: ProcessControl) -> None:
        states = supervisor.status_rows()
        if states != self._status:
            self._status = states
            self._push("status", states)

    # --- in -----------------------------------------------------------------------------------

    async def _answer(self, packet: Json) -> None:
        reply: Json = {"reply": packet.get("id")}
        try:
            reply["data"] = await self._perform(packet)
        except NoResponseError:
            reply["error"] = "no_response"
        except (UserError, DiscordError) as refusal:
            reply |= {"error": "refused", "detail": str(refusal)}
        except MALFORMED:
            reply |= {"error": "refused", "detail": "the page sent something malformed"}
        self._outbox.put_nowait(reply)

    async def _perform(self, packet: Json) -> Any:
        match packet["op"]:
            case "switch_user":
                return self._switch_user(packet["user"], packet.get("locale"))
            case "locale":
                self._person = PageUser(self._person.id, _check_locale(packet["locale"]))
                return self._push(
                    "commands", self._view.commands(self._person.id, self._person.locale)
                )
            case "process":
                return await self._control_process(packet["action"], packet["name"])
            case "overview":
                return await self._require_supervisor.read_queue_view()
            case _:
                return await self._actions.perform(self._person, packet)

    async def _control_process(self, action: str, name: str) -> None:
        if action not in ("kill", "restart"):
            raise UserError(f"unknown action {action!r}")
        supervisor = self._require_supervisor
        await supervisor.control(action, name)
        self._push_status(supervisor)

    @property
    def _require_supervisor(self) -> ProcessControl:
        if self._supervisor is None:
            raise UserError("nothing supervises the processes here")
        return self._supervisor

    def _switch_user(self, user: Any, locale: Any) -> None:
        people = [person for person in self._view.people() if not person["bot"]]
        known = [person["id"] for person in people]
        self._person = PageUser(user if user in known else known[0], _check_locale(locale))
        self._push("snapshot", self._snapshot())

    def _snapshot(self) -> Json:
        everything = self._world.snapshot(self._person.id)
        guild = next(g for g in everything["guilds"] if g["id"] == self._world.guild["id"])
        channels = [*guild["channels"], *guild["threads"], *everything["dms"]]
        return {
            "me": self._view.user(everything["user"]),
            "locale": self._person.locale,
            "guild": {"id": guild["id"], "name": guild["name"], "roles": guild["roles"]},
            "users": self._view.people(),
            "channels": [self._view.channel(channel) for channel in channels],
            "messages": {
                channel["id"]: [
                    self._view.message(m) for m in everything["messages"][channel["id"]]
                ]
                for channel in channels
            },
            "commands": self._view.commands(self._person.id, self._person.locale),
            "status": self._status,
        }


def _parse_request(text: str) -> Json:
    """Parse what the page asks for; anything invalid becomes a request that is refused."""
    try:
        packet = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return packet if isinstance(packet, dict) else {}


def _check_locale(wanted: Any) -> str:
    return wanted if wanted in LOCALES else LOCALES[0]

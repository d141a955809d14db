"""Prints what people could see: JSON lines for programs, or a transcript to read."""

import json
import sys
import time
from dataclasses import asdict
from typing import TextIO

from playground.discord.components import message_text
from playground.discord.event_bus import DiscordEvent
from playground.discord.json_types import ChannelType, Json, MessageFlag
from playground.discord.state import ServerState
from playground.outcome_judge import ScriptSummary


class TranscriptPrinter:
    def __init__(
        self, state: ServerState, *, as_json: bool = False, out: TextIO | None = None
    ) -> None:
        self.actions: dict[str, int] = {}  # the line that made an interaction or message, by its id
        self._state = state
        self._as_json = as_json
        self._out = out or sys.stdout
        self._began = time.monotonic()
        self._authors: dict[str, str] = {}  # of messages, for when they are deleted

    def print_event(self, seen: DiscordEvent) -> None:
        """Prints changes of messages, and what Discord's client tells the person who acted."""
        if seen.message_change is not None:
            self._print(self._build_message_line(seen))
        elif seen.name == "INTERACTION_FAILURE":
            text = "The application did not respond"
            self._print({**self._build_line(seen, "failure"), "content": text})
        elif seen.name == "INTERACTION_MODAL_CREATE":
            modal = {"content": seen.data["title"], "components": seen.data["components"]}
            self._print({**self._build_line(seen, "modal"), **modal})

    def print_refusal(self, action: int, user: str, reason: str) -> None:
        """Discord's client did not let a person do this, and told them why."""
        line: Json = {"t": self._seconds(), "event": "refused", "visible_to": user}
        self._print({**line, "action": action, "content": reason})

    def print_choices(self, action: int, user: str, choices: list[Json]) -> None:
        line: Json = {"t": self._seconds(), "event": "choices", "visible_to": user}
        names = [choice["name"] for choice in choices]
        self._print({**line, "action": action, "content": "\n".join(names), "choices": choices})

    def print_summary(self, summary: ScriptSummary) -> None:
        if self._as_json:
            self._print({"event": "summary", **asdict(summary)})
        else:
            counts = " ".join(f"{name}={count}" for name, count in asdict(summary).items())
            self._write(counts)

    # --- building -----------------------------------------------------------------------------

    def _build_message_line(self, seen: DiscordEvent) -> Json:
        data = seen.data
        line = self._build_line(seen, seen.message_change or "")
        if seen.message_change == "delete":
            return {**line, "message": data["id"], "author": self._authors.get(data["id"])}
        author = data["author"]["username"]
        self._authors[data["id"]] = author
        return {
            **line,
            "message": data["id"],
            "author": author,
            "content": message_text(data),
            "thinking": MessageFlag.LOADING in MessageFlag(data["flags"]),
            "attachments": data["attachments"],
            "embeds": data["embeds"],
            "components": data["components"],
        }

    def _build_line(self, seen: DiscordEvent, event: str) -> Json:
        return {
            "t": self._seconds(),
            "event": event,
            "channel": self._channel_name(seen.channel),
            "visible_to": self._state.users[seen.visible_to]["username"]
            if seen.visible_to
            else "all",
            "action": self._find_action(seen),
        }

    def _find_action(self, seen: DiscordEvent) -> int | None:
        """What it answers; of a person's own message, what made it."""
        own = str(seen.data.get("id"))
        return self.actions.get(own, self.actions.get(seen.responds_to or ""))

    def _channel_name(self, channel_id: str | None) -> str | None:
        channel = self._state.channels.get(channel_id or "")
        if channel is None:
            return channel_id
        if channel["type"] == ChannelType.DM:
            return f"@{channel['recipients'][0]['username']}"
        return str(channel["name"])

    def _seconds(self) -> float:
        return round(time.monotonic() - self._began, 3)

    # --- writing ------------------------------------------------------------------------------

    def _print(self, line: Json) -> None:
        if self._as_json:
            self._write(json.dumps(line, ensure_ascii=False))
        else:
            self._write(_format_line(line))

    def _write(self, text: str) -> None:
        print(text, file=self._out, flush=True)


def _format_line(line: Json) -> str:
    where = f"#{line['channel']}" if line.get("channel") else ""
    who = line.get("author") or line.get("visible_to")
    private = "" if line["visible_to"] == "all" else f" (only {line['visible_to']})"
    parts = [line.get("content") or ("…" if line.get("thinking") else "")]
    parts += [
        f"[{e.get('title') or ''} {e.get('description') or ''}]" for e in line.get("embeds", ())
    ]
    parts += [f"<{a['filename']}>" for a in line.get("attachments", ())]
    text = " ".join(part for part in parts if part)
    return f"{line['t']:7.2f}  {where:<12} {line['event']:<7} {who}{private}: {text}"

"""Prints what people could see: as JSON lines for programs, or as a transcript for readers."""

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
        self.actions: dict[str, int] = {}  # line of an interaction or message, by id
        self._state = state
        self._as_json = as_json
        self._out = out or sys.stdout
        self._started_at = time.monotonic()
        self._authors: dict[str, str] = {}  # of messages, by id, for deletions

    def print_event(self, event: DiscordEvent) -> None:
        """Print a change of a message, a failed interaction or a modal. Ignore other events."""
        if event.message_change is not None:
            self._print(self._build_message_line(event))
        elif event.name == "INTERACTION_FAILURE":
            text = "The application did not respond"
            self._print({**self._build_line(event, "failure"), "content": text})
        elif event.name == "INTERACTION_MODAL_CREATE":
            modal = {"content": event.data["title"], "components": event.data["components"]}
            self._print({**self._build_line(event, "modal"), **modal})

    def print_refusal(self, action: int, user: str, reason: str) -> None:
        """Print the reason why Discord's client did not let a person do this."""
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

    # --- lines --------------------------------------------------------------------------------

    def _build_message_line(self, event: DiscordEvent) -> Json:
        data = event.data
        line = self._build_line(event, event.message_change or "")
        if event.message_change == "delete":
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

    def _build_line(self, event: DiscordEvent, kind: str) -> Json:
        viewer = self._state.users[event.visible_to]["username"] if event.visible_to else "all"
        return {
            "t": self._seconds(),
            "event": kind,
            "channel": self._channel_name(event.channel),
            "visible_to": viewer,
            "action": self._find_action(event),
        }

    def _find_action(self, event: DiscordEvent) -> int | None:
        """Return the action of a person's message, or the one that an answer responds to."""
        own = str(event.data.get("id"))
        return self.actions.get(own, self.actions.get(event.responds_to or ""))

    def _channel_name(self, channel_id: str | None) -> str | None:
        channel = self._state.channels.get(channel_id or "")
        if channel is None:
            return channel_id
        if channel["type"] == ChannelType.DM:
            return f"@{channel['recipients'][0]['username']}"
        return str(channel["name"])

    def _seconds(self) -> float:
        return round(time.monotonic() - self._started_at, 3)

    # --- output -------------------------------------------------------------------------------

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

"""Preferences and their changes as text for admins."""

from dataclasses import dataclass

import discord
import msgspec

from bot.i18n import Words
from bot.preferences import RATES, SERVER, Preferences, RoleRate
from bot.render.steps_text import tool_name
from bot.settings_audit import Change, Values

RESET = {"managers": "settings-reset-managers", "everybody": "settings-reset-everybody"}
PERSONA_CHARS = 300
CHANGED_CHARS = 120  # of a value in a list of changes
LANGUAGE_NAMES = {"en": "English", "zh-CN": "简体中文"}

# What is told together, and of which preferences.
FIELDS = {
    "enabled": ("enabled",),
    "persona": ("persona",),
    "model": ("model",),
    "sampling": ("temperature", "top_p", "max_tokens"),
    "roles": ("roles",),
    "limits": (*RATES, "role_rates"),
    "language": ("language",),
    "reset": ("reset",),
    "tools": ("tools",),
    "approval": ("approval",),
}
LABELS = {
    "enabled": "settings-enabled",
    "persona": "settings-persona",
    "model": "settings-model",
    "sampling": "settings-sampling",
    "roles": "settings-roles",
    "limits": "settings-limits",
    "language": "settings-language",
    "reset": "settings-reset",
    "tools": "tools-title",
    "approval": "tools-ask-on",
}


@dataclass(frozen=True)
class PreferenceFormatter:
    """Formats the resolved preferences, field by field of `FIELDS`."""

    preferences: Preferences
    words: Words

    def format(self, field: str) -> str:
        told = {
            "enabled": self._switch(self.preferences.enabled is not False),
            "persona": self._persona(),
            "model": f"`{self.preferences.model}`" if self.preferences.model else self._default(),
            "sampling": self._sampling(),
            "roles": self._who(),
            "limits": self._every_limit(),
            "language": self._language(),
            "reset": self.words(RESET[self.preferences.reset or "managers"]),
            "tools": self._tools(),
            "approval": self._switch(bool(self.preferences.approval)),
        }
        return told[field]

    def _default(self) -> str:
        return self.words("settings-default")

    def _switch(self, on: bool) -> str:
        return self.words("settings-on" if on else "settings-off")

    def _persona(self) -> str:
        if not self.preferences.persona:
            return self._default()
        text = " ".join(self.preferences.persona.split())
        return discord.utils.escape_markdown(text[:PERSONA_CHARS])

    def _sampling(self) -> str:
        holds = self.preferences
        named = (
            ("settings-temperature-is", holds.temperature),
            ("settings-top-p-is", holds.top_p),
            ("settings-longest-is", holds.max_tokens),
        )
        parts = [self.words(key, {"value": f"{v:g}"}) for key, v in named if v is not None]
        return " · ".join(parts) or self._default()

    def _who(self) -> str:
        roles = " ".join(f"<@&{role}>" for role in self.preferences.roles or ())
        return roles or self.words("settings-everybody")

    def _every_limit(self) -> str:
        """Format everybody's limits, then a line for each role that has its own."""
        of_roles = (
            f"　<@&{rate.role}> {self._limits(rate)}" for rate in self.preferences.role_rates or ()
        )
        return "\n".join((self._limits(self.preferences), *of_roles))

    def _limits(self, holds: Preferences | RoleRate) -> str:
        keys = (
            *("settings-per-minute", "settings-per-day"),
            *("settings-tokens-per-day", "settings-megabytes-per-day"),
        )
        named = zip(keys, (getattr(holds, name) for name in RATES), strict=True)
        parts = [self.words(key, {"count": count}) for key, count in named if count]
        return " · ".join(parts) or self.words("settings-unlimited")

    def _language(self) -> str:
        return LANGUAGE_NAMES.get(
            self.preferences.language or "", self.words("settings-own-language")
        )

    def _tools(self) -> str:
        return ", ".join(tool_name(name, self.words) for name in self.preferences.tools or ()) or (
            self._default()
        )


def format_last_change(change: Change, say: Words) -> str:
    """Say when the settings were changed last, and by whom."""
    return say("settings-changed", {"when": _format_time(change), "who": _format_user(change)})


def format_change(change: Change, say: Words) -> str:
    """Return a change on one line: time, person, place, old and new values."""
    where = say("settings-server") if change.place == SERVER else f"<#{change.place}>"
    touched = {*change.before, *change.after}
    parts = [
        f"**{say(LABELS[field])}**: {_format_brief(change.before, field, say)} → "
        f"{_format_brief(change.after, field, say)}"
        for field, names in FIELDS.items()
        if touched & {*names}
    ]
    return f"{_format_time(change)} {_format_user(change)} {where}: {'; '.join(parts)}"


def _format_time(change: Change) -> str:
    return f"<t:{int(change.at_ms) // 1000}:R>"


def _format_user(change: Change) -> str:
    return f"<@{change.user}>" if change.user else "—"


def _format_brief(values: Values, field: str, say: Words) -> str:
    held = msgspec.convert(values, Preferences)
    told = " ".join(PreferenceFormatter(held, say).format(field).split())
    return told if len(told) <= CHANGED_CHARS else f"{told[:CHANGED_CHARS].rstrip(chr(92))}…"

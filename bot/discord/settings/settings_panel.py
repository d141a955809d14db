"""The panel of `/settings`: the settings of a server or channel, and controls to change them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import discord
import msgspec

from bot.discord.views.components_panel import ControlRow, action_row
from bot.discord.views.persistent_item import PersistentItem
from bot.i18n import LANGUAGES, Words
from bot.preferences import RATES, SERVER, Change, Preferences, RoleRate, Values
from bot.render.steps_text import tool_name

# Preferences and their changes as text for admins.

RESET = {"managers": "settings-reset-managers", "everybody": "settings-reset-everybody"}
PERSONA_CHARS = 300
CHANGED_CHARS = 120  # of a value in a list of changes
LANGUAGE_NAMES = {"en": "English", "zh-CN": "简体中文"}

# The preferences that are shown together under one name.
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
        texts = {
            "enabled": self._switch(self.preferences.enabled is not False),
            "persona": self._persona(),
            "model": f"`{self.preferences.model}`" if self.preferences.model else self._default(),
            "sampling": self._sampling(),
            "roles": self._roles(),
            "limits": self._all_limits(),
            "language": self._language(),
            "reset": self.words(RESET[self.preferences.reset or "managers"]),
            "tools": self._tools(),
            "approval": self._switch(bool(self.preferences.approval)),
        }
        return texts[field]

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
        preferences = self.preferences
        named = (
            ("settings-temperature-is", preferences.temperature),
            ("settings-top-p-is", preferences.top_p),
            ("settings-longest-is", preferences.max_tokens),
        )
        parts = [self.words(key, {"value": f"{v:g}"}) for key, v in named if v is not None]
        return " · ".join(parts) or self._default()

    def _roles(self) -> str:
        roles = " ".join(f"<@&{role}>" for role in self.preferences.roles or ())
        return roles or self.words("settings-everybody")

    def _all_limits(self) -> str:
        """Format everybody's limits, then a line for each role that has its own."""
        of_roles = (
            f"　<@&{rate.role}> {self._limits(rate)}" for rate in self.preferences.role_rates or ()
        )
        return "\n".join((self._limits(self.preferences), *of_roles))

    def _limits(self, limits: Preferences | RoleRate) -> str:
        keys = (
            *("settings-per-minute", "settings-per-day"),
            *("settings-tokens-per-day", "settings-megabytes-per-day"),
        )
        named = zip(keys, (getattr(limits, name) for name in RATES), strict=True)
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
    preferences = msgspec.convert(values, Preferences)
    text = " ".join(PreferenceFormatter(preferences, say).format(field).split())
    return text if len(text) <= CHANGED_CHARS else f"{text[:CHANGED_CHARS].rstrip(chr(92))}…"


ANY = "-"  # a choice for "not decided", since Discord takes no empty one
LINES = ("enabled", "persona", "model", "sampling", "roles", "limits", "language", "reset")
MOST_OPTIONS = 25
MOST_ROLES = 10


class SettingsItem(PersistentItem, template=r"settings:(?P<place>server|\d+):(?P<field>\w+)"):
    """A button or menu of the panel. Its id holds the place and the field that it changes."""

    @property
    def place(self) -> str:
        return self.fields["place"]

    @property
    def field(self) -> str:
        return self.fields["field"]

    @property
    def values(self) -> list[str]:
        """The options chosen in a menu; the ids of chosen roles."""
        chosen = getattr(self.item, "values", [])
        return [each if isinstance(each, str) else str(each.id) for each in chosen]


def _row(*items: "discord.ui.Item[discord.ui.LayoutView]") -> ControlRow:
    return action_row(*map(SettingsItem, items))


@dataclass(frozen=True)
class SettingsPage:
    """The settings of a place as one person sees them."""

    place: str  # SERVER or a channel
    channel: str  # the person's current channel
    own_preferences: Preferences  # decided at just this place
    preferences: Preferences  # the effective preferences
    models: Sequence[str]  # that are served
    last_change: Change | None  # of all settings of the server
    words: Words

    def texts(self) -> list[str]:
        where = self.words("settings-server") if self.place == SERVER else f"<#{self.place}>"
        title = f"## {self.words('settings-title')} · {where}"
        small = [self.words("settings-inherited")]
        small += [format_last_change(self.last_change, self.words)] if self.last_change else []
        return [title, "\n".join(self._lines()), "\n".join(f"-# {each}" for each in small)]

    def rows(self) -> list[ControlRow]:
        return [
            _row(self._place_menu()),
            *([_row(self._model_menu())] if len(self.models) > 1 else []),
            _row(self._role_menu()),
            _row(self._role_limit_menu()),
            _row(self._language_menu()),
            _row(*self._buttons()),
            _row(
                self._button("reset", "settings-reset-switch"),
                *([self._button("changes", "settings-changes")] if self.last_change else []),
            ),
        ]

    # --- texts ----------------------------------------------------------------------------------

    def _lines(self) -> Iterable[str]:
        formatter = PreferenceFormatter(self.preferences, self.words)
        return (self._line(field, formatter.format(field)) for field in LINES)

    def _line(self, field: str, value: str) -> str:
        decided = self.own_preferences.explicit_values()
        here = any(name in decided for name in FIELDS[field])
        return f"{'●' if here else '○'} **{self.words(LABELS[field])}**　{value}"

    # --- controls -------------------------------------------------------------------------------

    def _id(self, field: str) -> str:
        return f"settings:{self.place}:{field}"

    def _select(
        self, field: str, options: list[discord.SelectOption]
    ) -> "discord.ui.Select[discord.ui.LayoutView]":
        placeholder = self.words(f"settings-{field}")
        return discord.ui.Select(
            custom_id=self._id(field), options=options[:MOST_OPTIONS], placeholder=placeholder
        )

    def _option_label(self, field: str, value: str) -> str:
        """Label an option with its menu's name, since a chosen option hides the placeholder."""
        return f"{self.words(f'settings-{field}')}: {value}"

    def _place_menu(self) -> "discord.ui.Select[discord.ui.LayoutView]":
        named = ((SERVER, "settings-of-server"), (self.channel, "settings-of-channel"))
        return self._select(
            "place",
            [
                discord.SelectOption(
                    label=self.words(key), value=place, default=place == self.place
                )
                for place, key in named
            ],
        )

    def _model_menu(self) -> "discord.ui.Select[discord.ui.LayoutView]":
        chosen = self.preferences.model or ANY
        every = discord.SelectOption(
            label=self.words("settings-any-model"), value=ANY, default=chosen == ANY
        )
        named = [
            discord.SelectOption(label=name[-100:], value=name[-100:], default=name == chosen)
            for name in self.models
        ]
        return self._select("model", [every, *named])

    def _language_menu(self) -> "discord.ui.Select[discord.ui.LayoutView]":
        chosen = self.preferences.language or ANY
        own = discord.SelectOption(
            label=self._option_label("language", self.words("settings-own-language")),
            value=ANY,
            default=chosen == ANY,
        )
        named = [
            discord.SelectOption(
                label=self._option_label("language", LANGUAGE_NAMES[each]),
                value=each,
                default=each == chosen,
            )
            for each in LANGUAGES
        ]
        return self._select("language", [own, *named])

    def _role_menu(self) -> "discord.ui.RoleSelect[discord.ui.LayoutView]":
        kind = discord.SelectDefaultValueType.role
        return discord.ui.RoleSelect(
            custom_id=self._id("roles"),
            placeholder=self.words("settings-choose-roles"),
            min_values=0,
            max_values=MOST_ROLES,
            default_values=[
                discord.SelectDefaultValue(id=int(role), type=kind)
                for role in self.preferences.roles or ()
            ],
        )

    def _role_limit_menu(self) -> "discord.ui.RoleSelect[discord.ui.LayoutView]":
        return discord.ui.RoleSelect(
            custom_id=self._id("rolelimit"), placeholder=self.words("settings-role-limit")
        )

    def _buttons(self) -> "Iterable[discord.ui.Button[discord.ui.LayoutView]]":
        off = self.preferences.enabled is False
        yield self._button("enabled", "settings-turn-on" if off else "settings-turn-off")
        yield self._button("persona", "settings-persona")
        yield self._button("sampling", "settings-sampling")
        yield self._button("limits", "settings-limits")
        if self.own_preferences != Preferences():
            red = discord.ButtonStyle.red
            yield self._button("clear", "settings-clear", red)

    def _button(
        self, field: str, key: str, style: discord.ButtonStyle = discord.ButtonStyle.grey
    ) -> "discord.ui.Button[discord.ui.LayoutView]":
        return discord.ui.Button(custom_id=self._id(field), label=self.words(key), style=style)

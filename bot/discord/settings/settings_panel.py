"""What `/settings` shows: the decisions of one place, and the controls that change them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import discord

from bot.discord.settings.settings_format import LABELS, LANGUAGE_NAMES, SHOWN_IN, InWords, changed
from bot.discord.settings.settings_item import Setting
from bot.discord.views.components_panel import Row
from bot.i18n import LANGUAGES, Words
from bot.preferences import SERVER, Preferences
from bot.settings_audit import Change

ANY = "-"  # a choice for "not decided", since Discord takes no empty one
LINES = ("enabled", "persona", "model", "sampling", "roles", "limits", "language", "reset")
MOST_OPTIONS = 25
MOST_ROLES = 10


@dataclass(frozen=True)
class Page:
    """The settings of a place as one person sees them."""

    place: str  # SERVER or a channel
    channel: str  # where the person is
    own: Preferences  # decided at just this place
    holds: Preferences  # what then holds
    models: Sequence[str]  # that are served
    last: Change | None  # of all settings of the server
    say: Words

    def texts(self) -> list[str]:
        where = self.say("settings-server") if self.place == SERVER else f"<#{self.place}>"
        title = f"## {self.say('settings-title')} · {where}"
        small = [self.say("settings-inherited")]
        small += [changed(self.last, self.say)] if self.last else []
        return [title, "\n".join(self._lines()), "\n".join(f"-# {each}" for each in small)]

    def rows(self) -> list[Row]:
        return [
            self._row(self._places()),
            *([self._row(self._models())] if len(self.models) > 1 else []),
            self._row(self._roles()),
            self._row(self._role_limits()),
            self._row(self._languages()),
            self._row(*self._buttons()),
            self._row(
                self._button("reset", "settings-reset-switch"),
                *([self._button("changes", "settings-changes")] if self.last else []),
            ),
        ]

    # --- what holds -----------------------------------------------------------------------------

    def _lines(self) -> Iterable[str]:
        told = InWords(self.holds, self.say)
        return (self._line(field, told.of(field)) for field in LINES)

    def _line(self, field: str, value: str) -> str:
        decided = self.own.decided()
        here = any(name in decided for name in SHOWN_IN[field])
        return f"{'●' if here else '○'} **{self.say(LABELS[field])}**　{value}"

    # --- what changes it ------------------------------------------------------------------------

    def _row(self, *items: "discord.ui.Item[discord.ui.LayoutView]") -> Row:
        row: Row = discord.ui.ActionRow()
        for item in items:
            row.add_item(Setting(item))
        return row

    def _id(self, field: str) -> str:
        return f"settings:{self.place}:{field}"

    def _select(
        self, field: str, options: list[discord.SelectOption]
    ) -> "discord.ui.Select[discord.ui.LayoutView]":
        placeholder = self.say(f"settings-{field}")
        return discord.ui.Select(
            custom_id=self._id(field), options=options[:MOST_OPTIONS], placeholder=placeholder
        )

    def _labelled(self, field: str, value: str) -> str:
        """A chosen option hides its menu's placeholder, so it says itself what it is."""
        return f"{self.say(f'settings-{field}')}: {value}"

    def _places(self) -> "discord.ui.Select[discord.ui.LayoutView]":
        named = ((SERVER, "settings-of-server"), (self.channel, "settings-of-channel"))
        return self._select(
            "place",
            [
                discord.SelectOption(label=self.say(key), value=place, default=place == self.place)
                for place, key in named
            ],
        )

    def _models(self) -> "discord.ui.Select[discord.ui.LayoutView]":
        chosen = self.holds.model or ANY
        every = discord.SelectOption(
            label=self.say("settings-any-model"), value=ANY, default=chosen == ANY
        )
        named = [
            discord.SelectOption(label=name[-100:], value=name[-100:], default=name == chosen)
            for name in self.models
        ]
        return self._select("model", [every, *named])

    def _languages(self) -> "discord.ui.Select[discord.ui.LayoutView]":
        chosen = self.holds.language or ANY
        own = discord.SelectOption(
            label=self._labelled("language", self.say("settings-own-language")),
            value=ANY,
            default=chosen == ANY,
        )
        named = [
            discord.SelectOption(
                label=self._labelled("language", LANGUAGE_NAMES[each]),
                value=each,
                default=each == chosen,
            )
            for each in LANGUAGES
        ]
        return self._select("language", [own, *named])

    def _roles(self) -> "discord.ui.RoleSelect[discord.ui.LayoutView]":
        kind = discord.SelectDefaultValueType.role
        return discord.ui.RoleSelect(
            custom_id=self._id("roles"),
            placeholder=self.say("settings-choose-roles"),
            min_values=0,
            max_values=MOST_ROLES,
            default_values=[
                discord.SelectDefaultValue(id=int(role), type=kind)
                for role in self.holds.roles or ()
            ],
        )

    def _role_limits(self) -> "discord.ui.RoleSelect[discord.ui.LayoutView]":
        return discord.ui.RoleSelect(
            custom_id=self._id("rolelimit"), placeholder=self.say("settings-role-limit")
        )

    def _buttons(self) -> "Iterable[discord.ui.Button[discord.ui.LayoutView]]":
        off = self.holds.enabled is False
        yield self._button("enabled", "settings-turn-on" if off else "settings-turn-off")
        yield self._button("persona", "settings-persona")
        yield self._button("sampling", "settings-sampling")
        yield self._button("limits", "settings-limits")
        if self.own != Preferences():
            red = discord.ButtonStyle.red
            yield self._button("clear", "settings-clear", red)

    def _button(
        self, field: str, key: str, style: discord.ButtonStyle = discord.ButtonStyle.grey
    ) -> "discord.ui.Button[discord.ui.LayoutView]":
        return discord.ui.Button(custom_id=self._id(field), label=self.say(key), style=style)

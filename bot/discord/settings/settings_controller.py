"""The controller of `/settings`: it shows the panel and saves what admins choose."""

import io
from collections.abc import Awaitable, Callable, Mapping

import discord
import msgspec

from bot import preferences
from bot.discord.access import require_place
from bot.discord.host import Interaction
from bot.discord.settings.settings_panel import ANY, SettingsItem, SettingsPage, format_change
from bot.discord.views import components_panel
from bot.discord.views.modals import FormField, FormSpec, form_values, send_form
from bot.i18n import words
from bot.notices import Notice, QuestionRefused
from bot.preferences import (
    MAX_PERSONA_CHARS,
    RATES,
    SERVER,
    Preferences,
    PreferenceStore,
    RoleRate,
)
from bot.render.split import MESSAGE_UNITS, units
from jobqueue.errors import QueueUnavailable
from jobqueue.queue import JobQueue

Numbers = dict[str, float | int | None]

CHANGES_FILE = "settings-changes.jsonl"
FORM = "settings-form"  # what a form's custom_id begins with

ADMINS_ONLY = Notice("admins-only")
CHANNEL_ADMINS_ONLY = Notice("channel-admins-only")
LONGEST_CHOICE = 100  # Discord's
WRONG_SAMPLING = Notice("settings-wrong-sampling")
WRONG_LIMITS = Notice("settings-wrong-limits")
WRONG = Notice("settings-wrong")
FIELDS_OF_FORMS = {  # of each form, which decides nothing else
    "persona": ("persona",),
    "sampling": ("temperature", "top_p", "max_tokens"),
    "limits": RATES,
    "rolelimit": RATES,
}
CHOICES = ("model", "roles", "language")  # menus whose choice is the decision itself


def server_of(interaction: discord.Interaction) -> str:
    return str(interaction.guild_id or interaction.user.id)


def require_admin(interaction: discord.Interaction) -> None:
    """Require an admin; in direct messages everybody is one. Raises `Refused`."""
    if interaction.guild_id and not interaction.permissions.manage_guild:
        raise QuestionRefused(ADMINS_ONLY)


def can_change(interaction: discord.Interaction) -> bool:
    """Return whether this person may change the channel's settings.

    Its moderators and the server's admins may. A person's own installation changes no server.
    """
    if not interaction.guild_id:
        return True
    allowed = interaction.permissions
    is_ours = interaction.is_guild_integration()
    return is_ours and (allowed.manage_channels or allowed.manage_guild)


def require_can_change(interaction: discord.Interaction) -> None:
    """Require a person who may change the channel's settings. Raises `Refused`."""
    if not can_change(interaction):
        raise QuestionRefused(CHANNEL_ADMINS_ONLY)


def require_settings_place(interaction: discord.Interaction, place: str) -> None:
    """Let a panel change the server or its own channel. Raises `Refused`."""
    if place != SERVER:
        require_place(interaction, place)


async def served_models(queue: JobQueue) -> list[str]:
    """Return the models of the running workers; none while the queue is unavailable."""
    try:
        names = {worker.model for worker in await queue.list_workers()}
    except QueueUnavailable:
        return []
    return sorted(name for name in names if 0 < len(name) <= LONGEST_CHOICE)


class SettingsController:
    """Shows the panel and runs the actions of its controls."""

    def __init__(self, store: PreferenceStore, queue: JobQueue) -> None:
        self._store = store
        self._queue = queue
        self._actions: dict[str, Callable[[Interaction, SettingsItem], Awaitable[None]]] = {
            "place": self._switch_place,
            "enabled": self._toggle_enabled,
            "persona": self._ask_persona,
            "sampling": self._ask_sampling,
            "limits": self._ask_limits,
            "rolelimit": self._ask_role_limits,
            "reset": self._toggle_reset,
            "clear": self._clear,
            "changes": self._show_changes,
        }

    async def open(self, interaction: Interaction) -> None:
        require_admin(interaction)
        page = await self._load_page(interaction, str(interaction.channel_id))
        await components_panel.send_panel(interaction, page.texts(), page.rows())

    async def handle(self, interaction: Interaction, setting: SettingsItem) -> None:
        """Run a control's action.

        Raises `Refused` for people who may not, and for values out of bounds.
        """
        require_admin(interaction)
        require_settings_place(interaction, setting.place)
        if action := self._actions.get(setting.field):
            await action(interaction, setting)
        elif setting.field in CHOICES:
            await self._save(interaction, setting.place, _chosen_change(setting))
        else:
            raise QuestionRefused(WRONG)

    async def _load_page(self, interaction: Interaction, place: str) -> SettingsPage:
        server = server_of(interaction)
        self._store.refresh(server)
        return SettingsPage(
            place=place,
            channel=str(interaction.channel_id),
            own_preferences=await self._store.get_explicit(server, place),
            preferences=await self._store.resolve(server, () if place == SERVER else (place,)),
            models=await served_models(self._queue),
            last_change=next(iter(await self._store.changes.list_newest(server, 1)), None),
            words=words(str(interaction.locale)),
        )

    async def _show(self, interaction: Interaction, place: str) -> None:
        page = await self._load_page(interaction, place)
        await interaction.response.edit_message(
            view=components_panel.build_panel(page.texts(), page.rows()),
            allowed_mentions=discord.AllowedMentions.none(),
        )

    async def _save(
        self,
        interaction: Interaction,
        place: str,
        values: Mapping[str, object],
        wrong: Notice = WRONG,
    ) -> None:
        try:
            by = str(interaction.user.id)
            await self._store.change(server_of(interaction), place, by=by, **values)
        except msgspec.ValidationError as error:
            raise QuestionRefused(wrong) from error
        await self._show(interaction, place)

    # --- the controls that are not plain choices ------------------------------------------------

    async def _switch_place(self, interaction: Interaction, setting: SettingsItem) -> None:
        place = _chosen_value(setting)
        require_settings_place(interaction, place)
        await self._show(interaction, place)

    async def _toggle_enabled(self, interaction: Interaction, setting: SettingsItem) -> None:
        places = () if setting.place == SERVER else (setting.place,)
        holds = await self._store.resolve(server_of(interaction), places)
        await self._save(interaction, setting.place, {"enabled": holds.enabled is False})

    async def _toggle_reset(self, interaction: Interaction, setting: SettingsItem) -> None:
        places = () if setting.place == SERVER else (setting.place,)
        holds = await self._store.resolve(server_of(interaction), places)
        other = "managers" if holds.reset == "everybody" else "everybody"
        await self._save(interaction, setting.place, {"reset": other})

    async def _clear(self, interaction: Interaction, setting: SettingsItem) -> None:
        nothing = dict.fromkeys(Preferences.__struct_fields__)
        await self._save(interaction, setting.place, nothing)

    async def _show_changes(self, interaction: Interaction, _: SettingsItem) -> None:
        """Show the latest changes as text, and all known ones as a file of JSON lines."""
        found = await self._store.changes.list_newest(server_of(interaction))
        say = words(str(interaction.locale))
        lines = [format_change(change, say) for change in found]
        while units("\n".join(lines)) > MESSAGE_UNITS:
            lines.pop()
        every = b"\n".join(map(preferences.encode, found))
        await interaction.response.send_message(
            "\n".join(lines) or "—",
            file=discord.File(io.BytesIO(every), CHANGES_FILE),
            ephemeral=True,
            allowed_mentions=discord.AllowedMentions.none(),
        )

    # --- forms ----------------------------------------------------------------------------------

    async def _ask_persona(self, interaction: Interaction, setting: SettingsItem) -> None:
        own = await self._own_preferences(interaction, setting.place)
        field = FormField("persona", "settings-persona", own.persona or "", MAX_PERSONA_CHARS)
        await self._open_form(interaction, setting, "settings-persona", [field])

    async def _ask_sampling(self, interaction: Interaction, setting: SettingsItem) -> None:
        own = await self._own_preferences(interaction, setting.place)
        entries = [
            FormField("temperature", "settings-temperature", _format_number(own.temperature)),
            FormField("top_p", "settings-top-p", _format_number(own.top_p)),
            FormField("max_tokens", "settings-longest", _format_number(own.max_tokens)),
        ]
        await self._open_form(interaction, setting, "settings-sampling", entries)

    async def _ask_limits(self, interaction: Interaction, setting: SettingsItem) -> None:
        own = await self._own_preferences(interaction, setting.place)
        entries = _limit_fields(own)
        await self._open_form(interaction, setting, "settings-limits", entries)

    async def _ask_role_limits(self, interaction: Interaction, setting: SettingsItem) -> None:
        role = _chosen_value(setting)
        now = (await self._role_rates(interaction, setting.place)).get(role, RoleRate(role))
        entries = _limit_fields(now)
        await self._open_form(interaction, setting, "settings-role-limit", entries, role)

    async def _open_form(
        self,
        interaction: Interaction,
        setting: SettingsItem,
        title: str,
        entries: list[FormField],
        role: str = "",
    ) -> None:
        form = FormSpec(f"{FORM}:{setting.place}:{setting.field}:{role}", title, entries)
        await send_form(interaction, form.build(words(str(interaction.locale))))

    async def submit_form(self, interaction: Interaction, about: str) -> None:
        """Save a submitted form. An earlier process may have opened it."""
        require_admin(interaction)
        place, field, role = about.split(":")
        require_settings_place(interaction, place)
        given = {name: text.strip() for name, text in form_values(interaction).items()}
        given = {
            name: text for name, text in given.items() if name in FIELDS_OF_FORMS.get(field, ())
        }
        match field:
            case "persona":
                await self._save(interaction, place, {"persona": given.get("persona") or None})
            case "sampling":
                numbers = _parse_numbers(given, WRONG_SAMPLING)
                await self._save(interaction, place, numbers, WRONG_SAMPLING)
            case "limits":
                numbers = _parse_numbers(given, WRONG_LIMITS)
                await self._save(interaction, place, numbers, WRONG_LIMITS)
            case "rolelimit" if role:
                await self._save_role_limits(
                    interaction, place, role, _parse_numbers(given, WRONG_LIMITS)
                )
            case _:
                raise QuestionRefused(WRONG)

    async def _save_role_limits(
        self, interaction: Interaction, place: str, role: str, numbers: Numbers
    ) -> None:
        rates = await self._role_rates(interaction, place)
        rates.pop(role, None)
        decided = {name: number for name, number in numbers.items() if number is not None}
        new = [{"role": role, **decided}] if decided else []
        every = [*map(msgspec.to_builtins, rates.values()), *new]
        await self._save(interaction, place, {"role_rates": every or None}, WRONG_LIMITS)

    async def _own_preferences(self, interaction: Interaction, place: str) -> Preferences:
        return await self._store.get_explicit(server_of(interaction), place)

    async def _role_rates(self, interaction: Interaction, place: str) -> dict[str, RoleRate]:
        own = await self._own_preferences(interaction, place)
        return {rate.role: rate for rate in own.role_rates or ()}


def _limit_fields(own: Preferences | RoleRate) -> list[FormField]:
    labels = ("settings-minute", "settings-day", "settings-tokens-day", "settings-megabytes-day")
    named = zip(RATES, labels, strict=True)
    return [FormField(name, label, _format_number(getattr(own, name))) for name, label in named]


def _chosen_value(setting: SettingsItem) -> str:
    """Return the one chosen option. Raises `Refused` where there is none."""
    if len(setting.values) != 1:
        raise QuestionRefused(WRONG)
    return setting.values[0]


def _chosen_change(setting: SettingsItem) -> dict[str, object]:
    if setting.field == "roles":
        return {"roles": tuple(setting.values) or None}
    value = _chosen_value(setting)
    return {setting.field: None if value == ANY else value}


def _format_number(number: float | None) -> str:
    return "" if number is None else f"{number:.10g}"


def _parse_numbers(given: dict[str, str], wrong: Notice) -> Numbers:
    """Parse the fields; an empty one unsets its setting. Raises `Refused` for other text."""
    try:
        return {name: _parse_number(text) for name, text in given.items()}
    except ValueError as error:
        raise QuestionRefused(wrong) from error


def _parse_number(text: str) -> float | int | None:
    if not text:
        return None
    number = float(text.replace(",", "."))
    return int(number) if number.is_integer() else number

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
from bot.preferences import MAX_PERSONA_CHARS, RATES, SERVER, Preferences, PreferenceStore, RoleRate
from bot.render.split import MESSAGE_UNITS, units
from jobqueue.errors import QueueUnavailable
from jobqueue.queue import JobQueue

Numbers = dict[str, float | int | None]

CHANGES_FILE = "settings-changes.jsonl"
FORM = "settings-form"  # a form's custom_id begins with this

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
FORM_TITLES = {
    "persona": "settings-persona",
    "sampling": "settings-sampling",
    "limits": "settings-limits",
    "rolelimit": "settings-role-limit",
}
LIMIT_LABELS = ("settings-minute", "settings-day", "settings-tokens-day", "settings-megabytes-day")
CHOICES = ("model", "roles", "language")  # menus whose choice is the decision itself


def server_of(interaction: discord.Interaction) -> str:
    return str(interaction.guild_id or interaction.user.id)


def require_admin(interaction: discord.Interaction) -> None:
    """Require an admin; in direct messages everybody is one. Raises `QuestionRefused`."""
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
    """Require a person who may change the channel's settings. Raises `QuestionRefused`."""
    if not can_change(interaction):
        raise QuestionRefused(CHANNEL_ADMINS_ONLY)


def require_settings_place(interaction: discord.Interaction, place: str) -> None:
    """Let a panel change the server or its own channel. Raises `QuestionRefused`."""
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
            "enabled": self._toggle,
            "persona": self._open_form,
            "sampling": self._open_form,
            "limits": self._open_form,
            "rolelimit": self._open_form,
            "reset": self._toggle,
            "clear": self._clear,
            "changes": self._show_changes,
        }

    async def open(self, interaction: Interaction) -> None:
        require_admin(interaction)
        page = await self._load_page(interaction, str(interaction.channel_id))
        await components_panel.send_panel(interaction, page.texts(), page.rows())

    async def handle(self, interaction: Interaction, setting: SettingsItem) -> None:
        """Run a control's action.

        Raises `QuestionRefused` for people who may not, and for values out of bounds.
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
        await components_panel.edit_panel(interaction, page.texts(), page.rows())

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

    # --- controls that are no plain choices -----------------------------------------------------

    async def _switch_place(self, interaction: Interaction, setting: SettingsItem) -> None:
        place = _chosen_value(setting)
        require_settings_place(interaction, place)
        await self._show(interaction, place)

    async def _toggle(self, interaction: Interaction, setting: SettingsItem) -> None:
        places = () if setting.place == SERVER else (setting.place,)
        current = await self._store.resolve(server_of(interaction), places)
        other = "managers" if current.reset == "everybody" else "everybody"
        new = current.enabled is False if setting.field == "enabled" else other
        await self._save(interaction, setting.place, {setting.field: new})

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

    async def _open_form(self, interaction: Interaction, setting: SettingsItem) -> None:
        own = await self._store.get_explicit(server_of(interaction), setting.place)
        role = _chosen_value(setting) if setting.field == "rolelimit" else ""
        custom_id = f"{FORM}:{setting.place}:{setting.field}:{role}"
        form = FormSpec(
            custom_id, FORM_TITLES[setting.field], _form_fields(setting.field, own, role)
        )
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
        wrong = WRONG_SAMPLING if field == "sampling" else WRONG_LIMITS
        values: Mapping[str, object]
        match field:
            case "persona":
                values = {"persona": given.get("persona") or None}
            case "sampling" | "limits":
                values = _parse_numbers(given, wrong)
            case "rolelimit" if role:
                own = await self._store.get_explicit(server_of(interaction), place)
                values = {"role_rates": _change_role_rate(own, role, _parse_numbers(given, wrong))}
            case _:
                raise QuestionRefused(WRONG)
        await self._save(interaction, place, values, WRONG if field == "persona" else wrong)


def _form_fields(field: str, own: Preferences, role: str) -> list[FormField]:
    """Return the fields of a form, with what is set there now."""
    if field == "persona":
        return [FormField("persona", "settings-persona", own.persona or "", MAX_PERSONA_CHARS)]
    rates: Preferences | RoleRate = own
    labels: tuple[str, ...] = LIMIT_LABELS
    if field == "sampling":
        labels = ("settings-temperature", "settings-top-p", "settings-longest")
    elif field == "rolelimit":
        found = (rate for rate in own.role_rates or () if rate.role == role)
        rates = next(found, RoleRate(role))
    named = zip(FIELDS_OF_FORMS[field], labels, strict=True)
    return [FormField(name, label, _format_number(getattr(rates, name))) for name, label in named]


def _change_role_rate(own: Preferences, role: str, numbers: Numbers) -> list[object] | None:
    """Return all role rates with this role's new limits; without limits, the role has none."""
    limits = {name: number for name, number in numbers.items() if number is not None}
    others = [rate for rate in own.role_rates or () if rate.role != role]
    new = [{"role": role, **limits}] if limits else []
    return [*map(msgspec.to_builtins, others), *new] or None


def _chosen_value(setting: SettingsItem) -> str:
    """Return the one chosen option. Raises `QuestionRefused` where there is none."""
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
    """Parse the fields; an empty one unsets its setting. Raises `QuestionRefused`."""
    try:
        return {name: _parse_number(text) for name, text in given.items()}
    except ValueError as error:
        raise QuestionRefused(wrong) from error


def _parse_number(text: str) -> float | int | None:
    if not text:
        return None
    number = float(text.replace(",", "."))
    return int(number) if number.is_integer() else number

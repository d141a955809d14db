"""A control of the settings panel, whose id holds the place and the field; what it does is in
`bot.discord.settings.settings_controller`."""

from bot.discord.views.persistent_item import PersistentItem


class SettingsItem(PersistentItem, template=r"settings:(?P<place>server|\d+):(?P<field>\w+)"):
    @property
    def place(self) -> str:
        return self.custom_id.split(":")[1]

    @property
    def field(self) -> str:
        return self.custom_id.split(":")[2]

    @property
    def values(self) -> list[str]:
        """What was chosen in a menu; of roles, their ids."""
        chosen = getattr(self.item, "values", [])
        return [each if isinstance(each, str) else str(each.id) for each in chosen]

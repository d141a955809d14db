"""Where a command may be used, and by whom it may be installed."""

from typing import TypeVar

from discord import app_commands

T = TypeVar("T")


def usable_everywhere(command: T) -> T:
    """In servers, direct messages and groups, installed by a server or by a person."""
    contexts = app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    return app_commands.allowed_installs(guilds=True, users=True)(contexts(command))

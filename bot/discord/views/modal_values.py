"""What was typed into a form, as Discord sends it: the same whichever process opened the form."""

from collections.abc import Iterator
from typing import Any

import discord


def form_values(interaction: discord.Interaction[Any]) -> dict[str, str]:
    """The texts by their fields' names."""
    return dict(_iterate_values(interaction.data or {}))


def _iterate_values(part: Any) -> Iterator[tuple[str, str]]:
    """However deep they lie in Discord's layout."""
    if "value" in part:
        yield str(part["custom_id"]), str(part["value"])
    for inner in (*part.get("components", ()), *filter(None, [part.get("component")])):
        yield from _iterate_values(inner)

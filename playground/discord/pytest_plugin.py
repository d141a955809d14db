"""Fixtures for the tests of a bot: `pytest_plugins = ["playground.discord.pytest_plugin"]`.

They need pytest-asyncio.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from playground.discord.server import LocalDiscord
from playground.discord.user_actions import UserActions

__all__ = ["local_discord", "local_world"]


@pytest_asyncio.fixture
async def local_discord() -> AsyncIterator[LocalDiscord]:
    """A running server with the users ada and bob in #general.

    Rate limits are off. A test switches them on by `backend.rate_limits.enabled = True`.
    """
    async with LocalDiscord() as server:
        server.backend.rate_limits.enabled = False
        for name in ("ada", "bob"):
            server.world.create_user(name)
        yield server


@pytest.fixture
def local_world(local_discord: LocalDiscord) -> UserActions:
    """Return the actions of its users."""
    return local_discord.world

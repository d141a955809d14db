"""A local Discord per test, its world, and plain requests to it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from playground.discord.server import LocalDiscord
from playground.discord.world import World
from tests.playground.rest_client import RestClient


@pytest_asyncio.fixture
async def local_discord() -> AsyncIterator[LocalDiscord]:
    """Rate limits are off; a test about them turns them on."""
    async with LocalDiscord() as server:
        server.backend.limits.enabled = False
        server.world.create_user("ada")
        server.world.create_user("bob")
        yield server


@pytest.fixture
def world(local_discord: LocalDiscord) -> World:
    return local_discord.world


@pytest_asyncio.fixture
async def rest(local_discord: LocalDiscord) -> AsyncIterator[RestClient]:
    async with aiohttp.ClientSession() as session:
        yield RestClient(session, local_discord)

"""A local Discord per test, its world, and plain requests to it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from playground.discord.pytest_plugin import local_discord
from playground.discord.server import LocalDiscord
from playground.discord.user_actions import UserActions
from tests.playground.rest_client import RestClient

__all__ = ["local_discord", "rest", "world"]


@pytest.fixture
def world(local_discord: LocalDiscord) -> UserActions:
    return local_discord.world


@pytest_asyncio.fixture
async def rest(local_discord: LocalDiscord) -> AsyncIterator[RestClient]:
    async with aiohttp.ClientSession() as session:
        yield RestClient(session, local_discord)

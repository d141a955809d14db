"""Requests to the local Discord without discord.py, for what it would not send."""

from dataclasses import dataclass
from typing import Any

import aiohttp

from playground.discord.server import LocalDiscord


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> int:
        return int(self.body["code"])


class RestClient:
    def __init__(self, session: aiohttp.ClientSession, server: LocalDiscord) -> None:
        self._session = session
        self._server = server

    async def __call__(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> Answer:
        token = self._server.token if token is None else token
        headers = {"Authorization": f"Bot {token}"} if token else {}
        url = f"{self._server.api_url}/v10{path}"
        async with self._session.request(method, url, json=body, headers=headers) as response:
            content = await response.json() if response.status != 204 else None
            return Answer(response.status, content, dict(response.headers))

    async def raw(self, method: str, path: str, data: bytes, content_type: str) -> Answer:
        """A body that no JSON encoder would write."""
        headers = {"Authorization": f"Bot {self._server.token}", "Content-Type": content_type}
        url = f"{self._server.api_url}/v10{path}"
        async with self._session.request(method, url, data=data, headers=headers) as response:
            return Answer(response.status, await response.json(), dict(response.headers))

    async def post(self, body: Any, channel: str | None = None) -> Answer:
        """A message of the bot, in #general unless a channel is given."""
        where = channel or self._server.world.general["id"]
        return await self("POST", f"/channels/{where}/messages", body)

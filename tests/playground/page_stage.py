"""The page before a real bot, and a Chromium that looks at it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from discord.gateway import DiscordWebSocket
from discord.http import Route
from playwright.async_api import Browser, Locator, Page, async_playwright

from bot.discord.api_base import use_api
from playground.discord.json_types import Json
from playground.discord.server import LocalDiscord
from playground.web_ui.routes import add_web_ui
from tests.playground.page_bot import PageBot

TOKEN = "open-sesame"
CHROMIUM = "/usr/bin/chromium"
PATIENCE_MS = 10_000


@dataclass
class Stage:
    discord: LocalDiscord
    bot: PageBot
    supervisor: "FakeSupervisor"

    @property
    def url(self) -> str:
        return f"{self.discord.url}/?token={TOKEN}"

    def last(self) -> Json:
        """The newest message of #general."""
        return self.discord.world.messages("general")[-1].data


class FakeSupervisor:
    """Two processes that are where the test puts them."""

    def __init__(self) -> None:
        self.processes = {"redis": "ready", "worker": "loading"}

    def status_rows(self) -> list[Json]:
        return [
            {"name": name, "state": state, "progress": 0.5 if state == "loading" else None}
            | {"detail": "", "memory": 9_400_000, "restarts": 0, "uptime_s": 75.0}
            for name, state in self.processes.items()
        ]

    async def read_queue_view(self) -> Json:
        chat = {"name": "chat", "waiting": 1, "running": 1, "service_ms": 2500.0, "tokens": 80.0}
        worker = {"model": "small", "engine": "scripted", "phase": "ready", "running": 1}
        asked = {"who": "Ada", "capability": "chat", "attempts": 1, "tokens": 0, "failure": ""}
        return {
            "capabilities": [chat],
            "workers": [worker | {"slots": 4, "context_tokens": 4096}],
            "dead": 3,
            "memory": 2_390_000,
            "questions": [
                asked
                | {"id": "2", "prompt": "<b>bold</b>", "state": "failed", "failure": "deadline"}
                | {
                    "submitted_ms": 5_000,
                    "claimed_ms": None,
                    "first_output_ms": None,
                    "ended_ms": 6_000,
                },
                asked
                | {"id": "1", "prompt": "Why?", "state": "done", "tokens": 80, "attempts": 2}
                | {
                    "submitted_ms": 1_000,
                    "claimed_ms": 1_250,
                    "first_output_ms": 2_000,
                    "ended_ms": 4_000,
                },
            ],
        }

    async def control(self, verb: str, name: str) -> None:
        self.processes[name] = {"kill": "restarting", "restart": "ready"}[verb]


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    discord = LocalDiscord()
    supervisor = FakeSupervisor()
    add_web_ui(discord.app, discord, supervisor, TOKEN)
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with discord:
        use_api(discord.api_url)
        async with PageBot() as bot:
            await bot.login(discord.token)
            connection = asyncio.create_task(bot.connect())
            await asyncio.wait_for(bot.wait_until_ready(), 10)
            try:
                yield Stage(discord, bot, supervisor)
            finally:
                await bot.close()
                await connection
                Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--headless=new"]
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def visit(
    browser: Browser, stage: Stage, *, expected: tuple[str, ...] = (), **options: Any
) -> AsyncIterator[Page]:
    """A fresh visitor who sees the channel.

    An error the page logs, a breach of its policy included, fails the test unless it is expected.
    """
    settings = {"locale": "en-US", "viewport": {"width": 1200, "height": 800}, **options}
    context = await browser.new_context(**settings)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    await page.goto(stage.url)
    await page.locator("#title h1").wait_for()
    yield page
    await context.close()
    assert [c for c in complaints if not any(e in c for e in expected)] == []


def said(page: Page, text: str) -> Locator:
    """In the channel, not in the line that is read aloud."""
    return page.locator("#messages").get_by_text(text)


async def command(page: Page, name: str, /, **options: str) -> None:
    """Type a command and its options as a person does."""
    await page.locator("#text").fill(f"/{name}")
    await page.get_by_role("option").filter(has_text=f"/{name}").first.click()
    for option, value in options.items():
        field = page.locator(".command-form").get_by_role("textbox", name=option, exact=True)
        if not await field.count():
            await page.locator(".option-offer", has_text=option).click()
        await field.fill(value)
        if await page.locator(".choices:visible").count():
            await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")


async def become(page: Page, name: str) -> None:
    await page.locator("[data-action=accounts]").click()
    await page.get_by_role("menuitemradio", name=name).click()
    await page.locator("#account b", has_text=name).wait_for()

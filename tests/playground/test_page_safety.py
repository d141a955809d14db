"""What people and models write is shown as text; nobody without the token gets in."""

import io
import webbrowser
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientResponse, ClientSession, WSMsgType, WSServerHandshakeError
from playwright.async_api import Browser, FilePayload, expect

from playground.__main__ import open_browser
from playground.discord.json_types import File
from playground.discord.server import LocalDiscord
from playground.web_ui.actions import FILE_BYTES
from playground.web_ui.routes import TOKEN_REFUSED, add_web_ui
from tests.playground.page_bot import INERT
from tests.playground.page_stage import TOKEN, chromium, command, said, staged, visit

on_one_loop = pytest.mark.asyncio(loop_scope="module")

SMUGGLED = "body :is(script, iframe, object, [onerror], [onload], [href^='javascript'], [src='x'])"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture
async def discord() -> AsyncIterator[LocalDiscord]:
    """The page without any bot."""
    discord = LocalDiscord()
    add_web_ui(discord.app, discord, None, TOKEN)
    async with discord:
        yield discord


@pytest_asyncio.fixture
async def client(discord: LocalDiscord) -> AsyncIterator[ClientSession]:
    async with ClientSession(discord.url) as client:
        yield client


@pytest.mark.browser
@on_one_loop
async def test_markup_in_every_place_stays_text(browser: Browser) -> None:
    async with staged() as stage:
        world = stage.discord.world
        world.create_user(INERT)
        world.create_channel(INERT)
        await world.say(INERT, "general", f"{INERT}\n```{INERT}\n{INERT}\n```")
        await world.say(INERT, "general", f'```"onload=x\n{INERT}\n```\n||{INERT}||')
        await world.say("Ada", "general", "[a](javascript:hack()) <javascript:hack()>")
        async with visit(browser, stage) as page:
            await command(page, "card", text=INERT)
            await expect(page.locator(".embed-description")).to_contain_text("<script>")
            file = FilePayload(name=f"{INERT}.txt", mimeType="text/html", buffer=INERT.encode())
            await page.locator("#file-input").set_input_files(file)
            await expect(page.locator(".tray-card")).to_contain_text("<script>")
            await page.locator("#text").fill(INERT)
            await page.keyboard.press("Enter")
            await expect(page.locator(".file-card")).to_be_visible()
            await expect(said(page, INERT).last).to_be_visible()
            await page.locator(".message").first.click(button="right")
            assert await page.locator(SMUGGLED).count() == 0
            assert await page.evaluate("() => window.hacked") is None


@pytest.mark.browser
@on_one_loop
async def test_uploaded_page_cannot_run_in_our_origin(browser: Browser) -> None:
    async with staged() as stage, visit(browser, stage) as page:
        script = b"<script>document.title = sessionStorage.token</script><p>hello</p>"
        file = FilePayload(name="evil.html", mimeType="text/html", buffer=script)
        await page.locator("#file-input").set_input_files(file)
        await page.locator("#text").press("Enter")
        address = await page.locator(".file-card a").get_attribute("href")
        opened = await page.context.new_page()
        await opened.goto(f"{stage.discord.url}{address}")
        assert TOKEN not in await opened.title()
        await opened.close()


@pytest.mark.browser
@on_one_loop
async def test_token_leaves_the_address_and_survives_a_reload(browser: Browser) -> None:
    async with staged() as stage, visit(browser, stage, expected=("403",)) as page:
        assert TOKEN not in page.url
        await page.reload(wait_until="commit")
        await page.locator("#title h1").wait_for()
        assert TOKEN not in page.url


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", f"?token={TOKEN}x"])
async def test_page_needs_its_token(client: ClientSession, query: str) -> None:
    async with client.get(f"/{query}") as response:
        assert response.status == 403
        assert "needs its token" in await response.text()


async def test_page_is_served_under_a_strict_policy(client: ClientSession) -> None:
    async with client.get("/", params={"token": TOKEN}) as response:
        assert response.status == 200
        policy = response.headers["Content-Security-Policy"]
        body = await response.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "https://" not in body
    assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80"])
async def test_rebound_name_is_refused(client: ClientSession, host: str) -> None:
    async with client.get("/", params={"token": TOKEN}, headers={"Host": host}) as response:
        assert response.status == 403
        assert "loopback" in await response.text()


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://127.0.0.1:1"])
async def test_foreign_page_gets_no_socket(client: ClientSession, origin: str | None) -> None:
    with pytest.raises(WSServerHandshakeError) as refusal:
        await client.ws_connect("/page/socket", origin=origin)
    assert refusal.value.status == 403


@pytest.mark.parametrize(
    "hello", ['{"token": "wrong"}', '{"token": 5}', "{}", "[]", "no json", '{"token": "é"}']
)
async def test_socket_is_closed_without_the_token(
    client: ClientSession, discord: LocalDiscord, hello: str
) -> None:
    async with client.ws_connect("/page/socket", origin=discord.url) as socket:
        await socket.send_str(hello)
        frame = await socket.receive(timeout=30)
        assert frame.type is WSMsgType.CLOSE
        assert frame.data == TOKEN_REFUSED


async def test_upload_needs_the_token_and_keeps_the_limit(
    client: ClientSession, discord: LocalDiscord
) -> None:
    async def upload(data: bytes, **headers: str) -> ClientResponse:
        return await client.post("/page/upload?name=a.bin", data=io.BytesIO(data), headers=headers)

    assert (await upload(b"x")).status == 403
    assert (await upload(b"x", Authorization="Bearer wrong")).status == 403
    mine = {"Authorization": f"Bearer {TOKEN}"}
    assert (await upload(b"x", **mine, Origin="https://evil.example")).status == 403
    assert (await upload(bytes(FILE_BYTES + 1), **mine)).status == 413
    kept = await upload(b"x", **mine, Origin=discord.url)
    assert kept.status == 200
    assert (await kept.json())["id"]


@pytest.mark.parametrize(
    "packet",
    [
        {"op": "nonsense"},
        {"op": "say"},
        {"op": "__init__"},
        {"op": "say", "channel": "nowhere", "content": "x", "uploads": [], "reply": None},
        {"op": "slash", "channel": "general", "command": "absent", "options": {}},
        {"op": "say", "channel": "general", "content": "x", "uploads": ["gone"], "reply": None},
        {"op": "process", "action": "kill", "name": "bot"},
        {"op": "submit_modal", "modal": "0", "values": {}},
        {"op": "switch_user", "user": "nobody"},
        {"op": "slash", "channel": "general", "command": "absent", "options": ["prompt"]},
        {"op": "slash", "channel": "general", "command": 5, "options": {}},
        {"op": "slash", "channel": ["general"], "command": "absent", "options": "x"},
        {"op": "submit_modal", "modal": {"id": 1}, "values": [1]},
        {"op": "autocomplete", "channel": "general", "command": "a", "option": [], "values": 1},
        {"op": "click", "channel": "general", "message": None, "custom_id": 1, "values": 2},
        {"op": "react", "channel": "general", "message": "1", "emoji": {}},
        {"op": "say", "channel": "general", "content": ["x"], "uploads": None, "reply": None},
        {"op": "say", "channel": "general", "content": "x", "uploads": [{}], "reply": 3},
        {"op": "add_user"},
        {"op": ["say"]},
        {"op": "overview"},
        {"op": "process", "action": [], "name": {}},
        {},
    ],
    ids=lambda packet: str(packet.get("op")),
)
async def test_malformed_request_is_refused_and_the_page_goes_on(
    client: ClientSession, discord: LocalDiscord, packet: dict[str, object]
) -> None:
    async with client.ws_connect("/page/socket", origin=discord.url) as socket:
        await socket.send_json({"token": TOKEN})
        assert (await socket.receive_json())["event"] == "snapshot"
        await socket.send_str("no json")
        await socket.send_str("[]")
        await socket.send_str("[" * 100_000)
        await socket.send_json({"id": 1, **packet})
        await socket.send_json({"id": 2, "op": "add_channel", "name": "alive"})
        replies: dict[int, dict[str, Any]] = {}
        while not {1, 2} <= replies.keys():
            answer = await socket.receive_json(timeout=30)
            if "reply" in answer:
                replies[answer["reply"]] = answer
        if packet.get("op") != "switch_user":  # an unknown person is the first one
            assert replies[1]["error"] == "refused"
        assert "error" not in replies[2]


async def test_hello_of_endless_nesting_is_no_token(
    client: ClientSession, discord: LocalDiscord
) -> None:
    async with client.ws_connect("/page/socket", origin=discord.url) as socket:
        await socket.send_str("[" * 100_000)
        message = await socket.receive(timeout=30)
        assert (message.type, message.data) == (WSMsgType.CLOSE, TOKEN_REFUSED)


@pytest.mark.parametrize("query", ["?hm=é", "?hm=%ff&ex=zz", "?hm=%ed%a0%80", "?ex=&hm=", ""])
async def test_file_of_a_forged_address_is_not_found(
    client: ClientSession, discord: LocalDiscord, query: str
) -> None:
    sent = await discord.world.say("Ada", "general", "x", [File("a.txt", b"x")])
    path = sent.data["attachments"][0]["url"].removeprefix(discord.url).split("?")[0]
    async with client.get(f"{path}{query}") as response:
        assert response.status == 404


@pytest.mark.parametrize("query", ["?token=é", "?token=%ed%a0%80", "?token="])
async def test_token_of_other_letters_is_refused(client: ClientSession, query: str) -> None:
    async with client.get(f"/{query}") as response:
        assert response.status == 403


def test_token_is_not_in_the_browser_s_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    link = tmp_path / "page.html"
    link.symlink_to(tmp_path / "elsewhere")  # what somebody may have laid there before
    open_browser(link, f"http://127.0.0.1:1/?token={TOKEN}&x=1")
    assert opened == [link.as_uri()]
    assert not link.is_symlink()
    assert link.stat().st_mode & 0o777 == 0o600
    assert f'url=http://127.0.0.1:1/?token={TOKEN}&amp;x=1"' in link.read_text()

"""The pictures of the pages in docs/, made anew: `make screenshots`, or `ARGS=solve` for one.

The whole playground with its small models, and a person in Chromium. What models write differs a
little from one time to the next: look at the pictures before you commit them.
"""

import argparse
import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Locator, Page

from playground import ensure_model
from playground import web_ui as page_files
from playground.discord.server import LocalDiscord
from playground.supervisor import Supervisor
from playground.web_ui.routes import add_web_ui
from tests.playground.page_stage import TOKEN, chromium, command

DOCS = Path(__file__).parents[2] / "docs"
WIDE = (1280, 860)
TALL = (1060, 1500)  # of which the messages are 750 wide
LOW = (1060, 1000)
SAMPLES = Path(page_files.__file__).parent / "static" / "samples"
ANSWER_MS = 120_000
GAP = 24  # pixels between two pictures in one

Shot = Callable[[Page], Awaitable[bytes]]


def last(page: Page) -> Locator:
    return page.locator(".message").last


async def asked(page: Page, name: str, /, **options: str) -> None:
    """By a command; returns when the answer's message is there."""
    before = await page.locator(".message").count()
    await command(page, name, **options)
    await page.locator(".message").nth(before).wait_for()


async def answered(page: Page, button: str = "Again") -> Locator:
    """The newest message, once it has the button of an answer that is whole."""
    await last(page).get_by_role("button", name=button).wait_for(timeout=ANSWER_MS)
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(500)  # pictures and the last edit are drawn
    return last(page)


async def playground(page: Page) -> bytes:
    for prompt in ("What is a queue? One sentence.", "Reverse a string in Python, in three lines."):
        await asked(page, "chat", prompt=prompt)
        await answered(page)
    return await page.screenshot()


async def overview(page: Page) -> bytes:
    squares = "What is the sum of the first 100 squares?"
    welcome = "Plan a friendly welcome for new members"
    for name, question in (("solve", squares), ("chat", welcome), ("solve", squares)):
        option = {"problem" if name == "solve" else "prompt": question}
        await asked(page, name, **option)
        await answered(page)
    await page.get_by_role("button", name="Overview").click()
    await page.locator(".timelines li").first.wait_for()
    return await page.get_by_role("dialog").screenshot()


async def solve(page: Page) -> bytes:
    for _ in range(2):  # the first time the examples are still read
        await asked(page, "solve", problem="Solve x^2 - 5x + 6 = 0 and plot the parabola")
        await page.mouse.move(0, 0)
        await last(page).locator("pre").wait_for(timeout=ANSWER_MS)
        working = await last(page).screenshot()
        solved = await answered(page)
    return beside(working, await solved.screenshot())


async def pictures(page: Page) -> bytes:
    samples = [("big", "What do you see?"), ("hearts", "How many red hearts are there?")]
    shots = []
    for name, question in samples:
        before = await page.locator(".message").count()
        await page.locator("#file-input").set_input_files(SAMPLES / f"{name}.png")
        await page.locator("#text").fill(f"@commonroom {question}")
        await page.locator("#text").press("Enter")
        await page.locator(".message").nth(before + 1).wait_for()
        whole = await answered(page)
        shots += [await page.locator(".message").nth(before).screenshot(), await whole.screenshot()]
    return below(*shots)


async def article(page: Page) -> bytes:
    await asked(page, "article", topic="Luoyang")
    await answered(page, "Download")
    written = await page.locator("#scroller").screenshot()
    before = await page.locator(".message").count()
    await last(page).get_by_role("button", name="Edit").click()
    await page.locator(".message").nth(before).wait_for()
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(500)
    return beside(written, await last(page).screenshot())


async def settings(page: Page) -> bytes:
    await asked(page, "settings")
    await last(page).get_by_role("button", name="Sampling").wait_for()
    await page.mouse.move(0, 0)
    return await last(page).screenshot()


async def chinese(page: Page) -> bytes:
    await page.get_by_role("button", name="Language").click()
    await page.get_by_role("menuitemradio", name="简体中文").click()
    await asked(page, "聊天", 问题="用一句话介绍北京。")
    return await (await answered(page, "重新生成")).screenshot()


# By file: how large the window is, and who makes the picture.
SHOTS: dict[str, tuple[tuple[int, int], Shot]] = {
    "playground.png": (WIDE, playground),
    "overview.png": (WIDE, overview),
    "solve.png": (TALL, solve),
    "pictures.png": (TALL, pictures),
    "article.png": (LOW, article),
    "settings.png": (TALL, settings),
    "chinese.png": (TALL, chinese),
}


def beside(*shots: bytes) -> bytes:
    return _joined(shots, lambda size: (size[0] + GAP, 0))


def below(*shots: bytes) -> bytes:
    return _joined(shots, lambda size: (0, size[1] + GAP))


def _joined(shots: tuple[bytes, ...], step: Callable[[tuple[int, int]], tuple[int, int]]) -> bytes:
    images = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    places, x, y = [], 0, 0
    for image in images:
        places.append((x, y))
        x, y = x + step(image.size)[0], y + step(image.size)[1]
    corners = [(x + i.width, y + i.height) for (x, y), i in zip(places, images, strict=True)]
    size = max(x for x, _ in corners), max(y for _, y in corners)
    whole = Image.new("RGB", size, "white")
    for place, image in zip(places, images, strict=True):
        whole.paste(image, place)
    out = io.BytesIO()
    whole.save(out, "PNG")
    return out.getvalue()


@asynccontextmanager
async def running() -> AsyncIterator[str]:
    """A playground with nothing in it; its address."""
    chosen = argparse.Namespace(engine=None, model=None)
    await ensure_model.ensure_model(chosen)
    with tempfile.TemporaryDirectory() as folder:
        discord = LocalDiscord()
        supervisor = Supervisor(Path(folder), discord, engine=chosen.engine, model=chosen.model)
        add_web_ui(discord.app, discord, supervisor, TOKEN)
        async with discord, supervisor:
            await supervisor.wait_until_ready()
            yield f"{discord.url}/?token={TOKEN}"


async def shoot(browser: Browser, name: str) -> None:
    (width, height), shot = SHOTS[name]
    async with running() as url:
        context = await browser.new_context(
            locale="en-US", viewport={"width": width, "height": height}, color_scheme="light"
        )
        page = await context.new_page()
        await page.goto(url)
        await page.locator("#title h1").wait_for()
        if width < WIDE[0]:
            await page.locator("#panel-toggle").click()
        (DOCS / name).write_bytes(_small(await shot(page)))
        await context.close()


def _small(picture: bytes) -> bytes:
    """In 256 colours, which a page has no more of."""
    out = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(256, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


async def run(names: list[str]) -> None:
    async with chromium() as browser:
        for name in names:
            await shoot(browser, name)
            print(f"docs/{name}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.screenshots", description=__doc__)
    known = [name.removesuffix(".png") for name in SHOTS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    names = parser.parse_args().names or known
    if unknown := set(names) - set(known):
        parser.error(f"no picture is called {', '.join(sorted(unknown))}")
    asyncio.run(run([f"{name}.png" for name in names]))


if __name__ == "__main__":
    main()

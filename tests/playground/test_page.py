"""A person in Chromium, the page, the local Discord and a real discord.py bot."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, FilePayload, Page, expect

from tests.playground.page_bot import picture
from tests.playground.page_stage import Stage, become, chromium, command, said, staged, visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with staged() as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, stage: Stage) -> AsyncIterator[Page]:
    async with visit(browser, stage) as page:
        yield page


async def test_first_visit_teaches_the_first_question(page: Page, stage: Stage) -> None:
    await page.get_by_role("button", name="Explain recursion").click()
    prompt = page.locator(".command-form").get_by_role("textbox", name="prompt")
    await expect(prompt).to_have_value("Explain recursion with a tiny Python example")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message .used-command")).to_have_text("/chat")
    await expect(page.locator(".hint")).to_have_count(0)


async def test_picker_filters_completes_and_requires_options(page: Page) -> None:
    text = page.locator("#text")
    await text.press_sequentially("/ch")
    await expect(page.get_by_role("option")).to_have_count(1)
    await expect(page.get_by_role("option")).to_contain_text("Ask the community's model")
    await text.press("Tab")
    await page.keyboard.press("Enter")  # without its prompt
    await expect(page.locator(".option.wrong")).to_contain_text("prompt")
    await expect(page.locator(".command-help")).to_have_text("This option is required")
    await page.keyboard.press("Escape")
    await expect(text).to_be_focused()


async def test_answer_streams_in_while_the_reader_watches(page: Page, stage: Stage) -> None:
    stage.bot.manual = True
    await command(page, "chat", prompt="Recursion?", style="Precise")
    answer = page.locator(".message").last
    await expect(answer.locator(".thinking")).to_contain_text("commonroom is thinking…")
    stage.bot.step.set()
    await expect(answer).to_contain_text("Recursion? precise")
    await expect(answer).not_to_contain_text("the base case")
    shown = await answer.locator("p").first.element_handle()
    for _ in range(3):
        stage.bot.step.set()
        await answer.page.wait_for_timeout(50)
    stage.bot.manual = False
    stage.bot.step.set()
    await expect(answer.locator("pre .hl-nf").first).to_have_text("factorial")
    await expect(answer.get_by_role("button", name="Again")).to_be_visible()
    assert shown is not None
    assert await shown.evaluate("node => node.isConnected"), "the first paragraph was rebuilt"
    below = "s => s.scrollHeight - s.scrollTop - s.clientHeight"
    async with asyncio.timeout(30):  # the page scrolls after it has drawn
        while await page.locator("#scroller").evaluate(below) >= 2:
            await page.wait_for_timeout(20)


async def test_reader_who_scrolled_up_stays_there(page: Page, stage: Stage) -> None:
    world = stage.discord.world
    for number in range(30):
        await world.say("Linus", "general", f"line {number}\nand more\nand more")
    await expect(said(page, "line 29")).to_be_in_viewport()
    await page.locator("#scroller").hover()
    await page.mouse.wheel(0, -1500)
    await expect(page.locator("#jump")).to_be_visible()
    await world.say("Linus", "general", "the newest")
    await expect(page.locator("#jump")).to_contain_text("1 new")
    await expect(said(page, "the newest")).not_to_be_in_viewport()
    await page.locator("#jump").click()
    await expect(said(page, "the newest")).to_be_in_viewport()
    await expect(page.locator("#jump")).to_be_hidden()


async def test_buttons_and_menus_work_or_say_that_they_failed(page: Page) -> None:
    await command(page, "buttons")
    await page.get_by_role("button", name="Silent").click()
    await expect(page.locator(".button.waiting")).to_have_count(1)
    await expect(page.locator(".failure")).to_have_text("This interaction failed")
    await page.locator(".select").click()
    await page.get_by_role("option", name="Pear").click()
    await expect(said(page, "You picked Pear")).to_be_visible()
    await page.get_by_role("button", name="Again").click()
    await expect(page.locator(".content strong")).to_have_text("again")


async def test_command_without_an_answer_says_so(page: Page) -> None:
    await command(page, "mute")
    await expect(page.locator(".message .failure")).to_have_text("The application did not respond")


async def test_modal(page: Page) -> None:
    await command(page, "form")
    dialog = page.get_by_role("dialog", name="About you")
    await expect(dialog.get_by_label("Name")).to_be_focused()
    await page.keyboard.type("Ada")
    await dialog.get_by_label("Story").fill("Two\nlines")
    await dialog.get_by_role("button", name="Submit").click()
    await expect(dialog).to_have_count(0)
    await expect(page.locator(".message").last).to_contain_text("Hello Ada. Two")


async def test_ephemeral_answer_is_seen_by_one_person(
    page: Page, browser: Browser, stage: Stage
) -> None:
    await command(page, "whisper", text="a surprise")
    mine = page.locator(".message.ephemeral")
    await expect(mine).to_contain_text("Only you can see this")
    async with visit(browser, stage) as other:
        await become(other, "Linus")
        await stage.discord.world.say("Ada", "general", "public words")
        await expect(said(other, "public words")).to_be_visible()
        await expect(said(other, "a surprise")).to_have_count(0)
    await mine.get_by_role("button", name="Dismiss message").click()
    await expect(said(page, "a surprise")).to_have_count(0)


async def test_files_go_with_a_message_and_into_an_option(page: Page, stage: Stage) -> None:
    image = FilePayload(name="gradient.png", mimeType="image/png", buffer=picture())
    notes = FilePayload(name="notes.txt", mimeType="text/plain", buffer=b"hello")
    await page.locator("#file-input").set_input_files([image, notes])
    await expect(page.locator(".tray-card")).to_have_count(2)
    await page.locator("#text").fill("Look @common")
    await page.keyboard.press("Enter")  # takes the name that is offered
    await page.keyboard.press("Enter")
    await expect(said(page, "You said: Look")).to_contain_text("gradient.png, notes.txt")
    shown = page.locator(".picture img").first
    assert await shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 96
    await page.locator("#text").fill("/chat")
    await page.keyboard.press("Tab")
    await page.locator(".option-offer", has_text="image").click()
    await page.locator("#command input[type=file]").set_input_files(image)
    await page.locator(".command-form").get_by_role("textbox", name="prompt").fill("What is it?")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message").last).to_contain_text(f"{len(picture())} bytes")


async def test_autocomplete_and_choices(page: Page, stage: Stage) -> None:
    await page.locator("#text").press_sequentially("/city lu")
    await page.get_by_role("option", name="Luoyang").wait_for()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(said(page, "1 days in Luoyang")).to_be_visible()


async def test_suggestions_are_in_nobodys_way(page: Page) -> None:
    await page.locator("#text").press_sequentially("/city Lu")
    await page.get_by_role("option", name="Luoyang").wait_for()
    await page.keyboard.press("Enter")  # nothing is marked: what was typed is sent
    await expect(said(page, "1 days in Lu")).to_be_visible()
    await page.locator("#text").press_sequentially("/city Be")
    await page.get_by_role("option", name="Berlin").wait_for()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(said(page, "1 days in Bern")).to_be_visible()


async def test_context_menu_and_reply(page: Page, stage: Stage) -> None:
    await stage.discord.world.say("Linus", "general", "one two three")
    await said(page, "one two three").click(button="right")
    await page.get_by_role("menuitem", name="Count words").click()
    await expect(said(page, "3 words")).to_be_visible()
    await said(page, "one two three").click(button="right")
    await page.get_by_role("menuitem", name="Reply", exact=True).click()
    await page.keyboard.type("four")
    await page.keyboard.press("Enter")
    await expect(page.locator(".message").last.locator(".quoted")).to_have_text("one two three")
    assert stage.last()["message_reference"]["message_id"]


async def test_threads_dms_and_unread_marks(page: Page, stage: Stage) -> None:
    await command(page, "thread", name="Ideas")
    entry = page.locator(".channel.thread", has_text="Ideas")
    await expect(entry).to_have_class("channel thread unread")
    await entry.click()
    await expect(said(page, "First words")).to_be_visible()
    await expect(entry).to_have_class("channel thread current")
    await page.get_by_role("button", name="Message", exact=True).click()
    await expect(page.locator("#title h1")).to_have_text("commonroom")
    await page.get_by_role("button", name="Create channel").click()
    await page.get_by_role("dialog").get_by_label("Channel name").fill("Book Club")
    await page.keyboard.press("Enter")
    await expect(page.locator("#title h1")).to_have_text("book-club")


async def test_components_v2_and_embeds(page: Page) -> None:
    await command(page, "layout")
    box = page.locator(".container")
    await expect(box.locator("h2")).to_have_text("A layout")
    await expect(box.locator(".thumbnail img")).to_be_visible()
    await expect(box.locator(".file-name")).to_have_text("notes.txt")
    await expect(box.get_by_role("button", name="Inside")).to_be_visible()
    await command(page, "card", text="Hello")
    await expect(page.locator(".embed-description strong")).to_have_text("Body")
    colour = "e => getComputedStyle(e).borderLeftColor"
    assert await page.locator(".embed").evaluate(colour) == "rgb(217, 132, 91)"


async def test_status_panel_shows_and_steers_the_processes(page: Page, stage: Stage) -> None:
    worker = page.locator(".process[data-process=worker]")
    await expect(worker.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "50")
    stage.supervisor.processes["worker"] = "ready"
    await expect(worker).to_have_attribute("data-health", "good")
    await worker.get_by_role("button", name="Kill").click()
    await expect(worker.locator(".process-state")).to_have_text("restarting")
    assert stage.supervisor.processes["worker"] == "restarting"


async def test_the_overview_shows_where_the_time_went(page: Page) -> None:
    await page.get_by_role("button", name="Overview").click()
    shown = page.get_by_role("dialog", name="Overview")
    failed, done = await shown.locator(".timelines li").all()
    await expect(failed).to_contain_text("<b>bold</b>")
    await expect(failed.locator("small")).to_have_text("waited 1.00 s · no time left")
    words = "waited 0.25 s · until the first words 0.75 s · writing 2.00 s · 80 tokens"
    await expect(done.locator("small")).to_have_text(f"{words} · 40.0 a second · attempt 2")
    widths = "e => Math.round(100 * e.offsetWidth / e.parentElement.offsetWidth)"
    bars = await done.locator(".timeline i").all()
    assert [await bar.evaluate(widths) for bar in bars] == [8, 25, 67]
    await expect(shown.locator(".numbers")).to_contain_text("Dead letters3")
    await page.keyboard.press("Escape")
    await expect(shown).to_have_count(0)


async def test_language_and_theme(page: Page, stage: Stage) -> None:
    await page.get_by_role("button", name="Language").click()
    await page.get_by_role("menuitemradio", name="简体中文").click()
    await expect(page.locator("#text")).to_have_attribute("placeholder", "发消息到 #general")
    await command(page, "locale")
    await expect(said(page, "You read zh-CN")).to_be_visible()
    before = await page.locator("html").get_attribute("data-theme")
    await page.get_by_role("button", name="主题").click()
    assert await page.locator("html").get_attribute("data-theme") != before


@pytest.mark.parametrize("width", [320, 390, 480])
async def test_phone_has_drawers_and_no_sideways_scroll(
    browser: Browser, stage: Stage, width: int
) -> None:
    wide = "x" * 300
    await stage.discord.world.say("Ada", "general", f"{wide}\n```\n{wide}\n```\n> `{wide}`")
    size = {"width": width, "height": 700}
    async with visit(browser, stage, viewport=size, has_touch=True, is_mobile=True) as page:
        await command(page, "card", text=wide[:90])
        await expect(page.locator(".embed")).to_be_visible()
        for selector in ("html", "body", "#scroller"):
            overflow = "e => e.scrollWidth - e.clientWidth"
            assert await page.locator(selector).evaluate(overflow) == 0, selector
        await expect(page.locator("#sidebar")).not_to_be_in_viewport()
        await page.get_by_role("button", name="Open channels").tap()
        await expect(page.locator("#sidebar")).to_be_in_viewport()
        await page.locator(".channel", has_text="general").tap()
        await expect(page.locator("#sidebar")).not_to_be_in_viewport()

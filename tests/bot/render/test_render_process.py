"""The drawing process: it draws, it is ended, it is replaced."""

import asyncio
import os
import signal
from contextlib import aclosing

import psutil

from bot.render.format_answer import format_as_text, format_with_images
from bot.render.render_process import RenderProcess
from tests.bot.render import answers


def children() -> list[psutil.Process]:
    return [
        child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())
    ]


async def test_it_dresses_as_dress_does() -> None:
    async with aclosing(RenderProcess()) as renderer:
        for answer in (answers.QUADRATIC, answers.CHINESE, answers.CODE, answers.COMPARISON):
            assert await renderer.render(answer) == format_with_images(answer)
        assert len(children()) == 1
    assert children() == []


async def test_no_process_is_started_for_plain_text() -> None:
    async with aclosing(RenderProcess()) as renderer:
        assert await renderer.render(answers.PLAIN) == format_as_text(answers.PLAIN)
        assert children() == []


async def test_a_drawing_that_takes_too_long_becomes_text() -> None:
    async with aclosing(RenderProcess(timeout_s=2)) as renderer:
        await renderer.render("$x$")
        [process] = children()
        os.kill(process.pid, signal.SIGSTOP)
        assert await renderer.render(answers.QUADRATIC) == format_as_text(answers.QUADRATIC)
        assert not process.is_running()
        assert await renderer.render(answers.QUADRATIC) == format_with_images(answers.QUADRATIC)


async def test_a_killed_process_is_replaced() -> None:
    async with aclosing(RenderProcess()) as renderer:
        await renderer.render("$x$")
        [process] = children()
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        assert await renderer.render("$x^2$") == format_as_text("$x^2$")
        assert await renderer.render("$x^2$") == format_with_images("$x^2$")


async def test_answers_are_not_mixed_up_when_a_caller_goes() -> None:
    async with aclosing(RenderProcess()) as renderer:
        await renderer.render("$x$")
        gone = asyncio.create_task(renderer.render(answers.QUADRATIC))
        await asyncio.sleep(0)
        gone.cancel()
        assert await renderer.render("$y^2$") == format_with_images("$y^2$")

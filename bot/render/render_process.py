"""Renders answers in a process of its own, so that drawing delays nobody and can be ended.

The process is started when it is first needed and stays. One that takes too long or dies is
replaced, and the answer is then shown as text.
"""

import asyncio
import logging
import threading
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from bot.render.format_answer import (
    FormattedAnswer,
    format_as_text,
    format_with_images,
    may_need_images,
)

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

TIMEOUT_S = 5.0
_START_S = 20.0  # a loaded machine imports slowly

log = logging.getLogger(__name__)


class RenderProcess:
    """A renderer of answers in a process of its own, until `aclose`."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    async def aclose(self) -> None:
        await asyncio.to_thread(self._close)

    async def render(self, text: str) -> FormattedAnswer:
        """Return the answer with images, or its text alone after the time-out."""
        if not may_need_images(text):
            return format_as_text(text)
        return await asyncio.to_thread(self._ask, text) or format_as_text(text)

    def _ask(self, text: str) -> FormattedAnswer | None:
        with self._lock:  # one at a time, also where a caller was cancelled
            try:
                connection = self._start()
                connection.send(text)
                if connection.poll(self._timeout_s):
                    formatted: FormattedAnswer = connection.recv()
                    return formatted
                log.warning("drawing took more than %.0f s", self._timeout_s)
            except (EOFError, OSError) as error:
                log.warning("the drawing process ended: %r", error)
            self._end()
            return None

    def _start(self) -> Connection:
        if self._connection is None:
            context = get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
            self._process.start()
            theirs.close()  # so that its death is seen here
            if not self._connection.poll(_START_S):
                raise OSError("it did not start")
            self._connection.recv()
        return self._connection

    def _close(self) -> None:
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._connection = None


def _serve(connection: Connection) -> None:
    connection.send("ready")
    while True:
        try:
            text = connection.recv()
        except (EOFError, KeyboardInterrupt):  # the bot is gone, or going
            return
        connection.send(format_with_images(text))

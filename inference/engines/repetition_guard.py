"""Ends answers that repeat themselves, for every engine.

A small model falls into a loop and writes until its limit. Two signs tell a loop while it streams:

- The end of the text is periodic: one block of characters comes again and again, exactly.
- Nothing new comes: each sentence or line was written at least twice before, over many lines.

Both wait for a length that grows with the block, so that refrains, tables, rulers and forms pass.
Code, markup, blocks without words and what the question itself asks for get much more room.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing

from inference.engines.base import Chunk, EngineWrapper, Request, Usage
from jobqueue.schema import FinishReason

# Lengths are in characters of an alphabet; a Chinese character says as much as two.
PERIODS = 3  # of a block, and then:
ROOM = 300  # so much more of the same is a loop
DIGIT_ROOM = 800  # of blocks without words, such as 1/7 = 0.142857142857…
WIDE_ROOM = 2_000  # in code and the like
STALE = 1_500  # sentences without anything new that are a loop
STALE_WIDE_SHARE = 0.3  # of a line of code or of a table
SEEN_BEFORE = 2  # so often a sentence was written before, to count as stale
STEP = 24  # characters between two looks, so that long streams cost little
ANCHOR = 24  # the last characters, whose last occurrence before tells the length of a block
REACH = 8_000  # so far back a block is looked for
OCCURRENCES = 4  # of the anchor that are tried
MARKUP = 0.15  # of a block's characters: it is code or markup

_SENTENCE_END = re.compile(r"[.!?;](?=\s)|[。！？；…\n]")
_COUNTER = re.compile(r"^\W*(?:\d{1,4}\s*[.)、:：．]\s*)?\W*")
_DANGLING = re.compile(r"\n[ \t]*(?:[-*+•]|\d{1,4}[.)、:：．])?[ \t]*\Z")
_SPACES = re.compile(r"\s+")
_SIGN = re.compile(r"[{}\[\]<>|=/\\_()\"`~^*+#]")
_FENCE = re.compile(r"^\s*(?:```|~~~)")


class RepetitionDetector:
    """Reads a text as it grows, and tells where it began to repeat itself."""

    def __init__(self, question: str = "") -> None:
        self._question = _letters(question)
        self._text = ""
        self._looked = 0  # length of the text at the last look
        self._seen = Counter[str]()
        self._read = 0  # up to here the text is split into sentences
        self._in_code = False
        self._stale_from: int | None = None  # since here nothing new was written
        self._stale = 0.0  # length of what was written twice before, since then

    def add(self, text: str) -> int | None:
        """Add more text. Return the length of the text before its repetition, or None."""
        self._text += text
        if len(self._text) < self._looked + STEP:
            return None
        self._looked = len(self._text)
        start = self._find_periodic_tail()
        start = self._find_stale_tail() if start is None else start
        return None if start is None else self._without_dangling_marker(start)

    # --- a block again and again --------------------------------------------------------------

    def _find_periodic_tail(self) -> int | None:
        text = self._text
        end = len(text) - ANCHOR
        if end < ROOM // 2:
            return None
        anchor, at, floor = text[end:], end, max(len(text) - REACH, 0)
        for _ in range(OCCURRENCES):
            at = text.rfind(anchor, floor, at + ANCHOR - 1)
            if at < 0:
                return None
            if self._is_loop(end - at):
                return self._first_end(end - at)
        return None

    def _is_loop(self, period: int) -> bool:
        text = self._text
        block = text[-period:]
        if not text.endswith(block, 0, len(text) - period):
            return False
        if (block + block).find(block, 1) < period:  # it repeats a shorter one, which was judged
            return False
        scale = _width(block) / period
        length = PERIODS * period + int(self._room(block) / scale)
        return length <= len(text) and text[period - length :] == text[-length:-period]

    def _room(self, block: str) -> int:
        """Return how much more than some periods of a block is a loop."""
        wide = (
            self._in_code
            or len(_SIGN.findall(block)) > MARKUP * len(block)
            or _is_quoted(block, self._question)
        )
        if wide:
            return WIDE_ROOM
        letters = {letter for letter in block if letter.isalpha()}
        return ROOM if len(letters) > 1 else DIGIT_ROOM

    def _first_end(self, period: int) -> int:
        """Return where the first of the equal blocks ends, with the sentence or word there."""
        text = self._text
        start = len(text) - 2 * period
        while start and text[start - 1] == text[start - 1 + period]:
            start -= 1
        end = start + period
        # A block may begin within a sentence: then another one ends within one period from here.
        for boundary in (_SENTENCE_END, _SPACES):
            before = end - 1
            while before > start and text[before].isspace():
                before -= 1
            if found := boundary.search(text, before, min(end + period, len(text))):
                return max(found.end(), end) if found.start() < end else found.end()
        return end

    def _without_dangling_marker(self, end: int) -> int:
        """Return an earlier end where a list's next counter would stand alone."""
        found = _DANGLING.search(self._text, max(end - 10, 0), end)
        return found.start() if found else end

    # --- nothing new --------------------------------------------------------------------------

    def _find_stale_tail(self) -> int | None:
        for end in _SENTENCE_END.finditer(self._text, self._read):
            start, self._read = self._read, end.end()
            self._take_sentence(start, self._text[start : end.end()])
            if self._stale >= STALE:
                return self._stale_from
        return None

    def _take_sentence(self, start: int, sentence: str) -> None:
        if _FENCE.match(sentence):
            self._in_code = not self._in_code
            return
        core = _normalize(sentence)
        if not any(map(str.isalpha, core)):
            return
        seen = self._seen[core]
        self._seen[core] += 1
        if not seen:
            self._stale_from, self._stale = None, 0.0
            return
        if self._stale_from is None:
            self._stale_from = start
        if seen >= SEEN_BEFORE:
            share = STALE_WIDE_SHARE if self._room(sentence) == WIDE_ROOM else 1.0
            self._stale += share * _width(sentence)


def _normalize(text: str) -> str:
    """Return a text without a list's counter at its beginning, white space and case."""
    return _SPACES.sub(" ", _COUNTER.sub("", text, count=1)).strip().casefold()


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _is_quoted(block: str, question: str) -> bool:
    """Return whether the question contains the block, wherever the block was cut."""
    letters = _letters(block)
    turns = range(len(letters)) if len(letters) <= len(question) else ()
    return any(letters[at:] + letters[:at] in question for at in turns)


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return len(text) + sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)


class GuardedEngine(EngineWrapper):
    """An engine whose answers end where they begin to repeat themselves.

    The last chunk then says how much of the text is to be dropped.
    """

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        question = next((m.content for m in reversed(request.messages) if m.role == "user"), "")
        answer, reasoning = RepetitionDetector(question), RepetitionDetector(question)
        length, tokens = 0, 0
        async with aclosing(self._engine.generate(request)) as chunks:
            async for chunk in chunks:
                yield chunk
                if chunk.finish_reason is not None:
                    return
                tokens += chunk.tokens if chunk.text or chunk.reasoning else 0
                length += len(chunk.text)
                kept = answer.add(chunk.text) if chunk.text else None
                if kept is not None or reasoning.add(chunk.reasoning) is not None:
                    break
            else:
                return
        read = await self._engine.count_tokens(request.messages)
        drop = 0 if kept is None else length - kept
        yield Chunk(
            "", FinishReason.REPETITION, Usage(read, tokens), tokens=0, dropped_characters=drop
        )

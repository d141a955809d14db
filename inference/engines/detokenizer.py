"""Turns token ids into text: whole characters, cut at the stop strings."""

from collections.abc import Callable, Sequence

REPLACEMENT = "\ufffd"  # what a decoder writes for bytes that are no character (yet)

# More tokens than any single character or joined emoji takes, so that a model which emits
# broken bytes for ever still shows something.
MAX_HELD_TOKENS = 16


class Detokenizer:
    """Decodes a growing list of ids and returns only what is certain.

    A character may be spread over several tokens, and some tokenizers write a space only between
    two tokens; so each step decodes a small window twice, with and without the new ids, and the
    difference is the new text. A window that ends inside a character is held back.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._ids: list[int] = []
        self._shown = 0  # ids whose text was returned
        self._window = 0  # ids before it no longer influence what follows

    def push(self, ids: Sequence[int]) -> str:
        return "".join(map(self._push, ids))

    def _push(self, token: int) -> str:
        self._ids.append(token)
        before, after = self._texts()
        if after.endswith(REPLACEMENT) and len(self._ids) - self._shown < MAX_HELD_TOKENS:
            return ""
        self._window, self._shown = self._shown, len(self._ids)
        return after[len(before) :]

    def flush(self) -> str:
        """Return the text that was held back, without half a character that a length limit may have
        left.
        """
        before, after = self._texts()
        self._window = self._shown = len(self._ids)
        return after[len(before) :].rstrip(REPLACEMENT)

    def _texts(self) -> tuple[str, str]:
        shown = self._decode(self._ids[self._window : self._shown])
        return shown, self._decode(self._ids[self._window :])


class StopStrings:
    """Cuts a stream of text before the first stop string, wherever the pieces break.

    Text that may still become a stop string is held back until the next piece decides.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""
        self.hit = False

    def push(self, text: str) -> str:
        if not self._stops:
            return text
        if self.hit:
            return ""
        self._held += text
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.hit = True
            return self._release(min(found))
        return self._release(len(self._held) - self._undecided_length())

    def flush(self) -> str:
        return "" if self.hit else self._release(len(self._held))

    def _release(self, end: int) -> str:
        text, self._held = self._held[:end], self._held[end:]
        return text

    def _undecided_length(self) -> int:
        """Length of the longest tail that begins a stop string."""
        longest = min(max(map(len, self._stops), default=0), len(self._held) + 1) - 1
        return next((n for n in range(longest, 0, -1) if self._could_stop(self._held[-n:])), 0)

    def _could_stop(self, tail: str) -> bool:
        return any(stop.startswith(tail) for stop in self._stops)

"""Separates a model's reasoning from its answer where both come in one text.

Models write their reasoning between marks: `<think>…</think>`, `[THINK]…[/THINK]`, gpt-oss's
channels and others. A reply may hold several such blocks, one that nothing closes, and, where the
chat template has written the opening mark, only a closing one.

Marks in code or in quotation marks are something that is talked about. So is an opening mark in
the middle of a sentence, before any block was seen.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_NAMES = r"(?:seed:)?(?:think(?:ing)?|thoughts?|reasoning|reflection|scratchpad)"
_CHANNEL = r"(?:<\|start\|>assistant)?<\|channel\|>"

# One group for each kind of a mark.
_MARKS = re.compile(
    rf"(?P<open><{_NAMES}>|\[THINK\]|◁think▷|<\|begin_of_thought\|>|<\|START_THINKING\|>"
    rf"|{_CHANNEL}(?:analysis|commentary)|<\|channel>thought\n?)"
    rf"|(?P<close></{_NAMES}>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>|<\|END_THINKING\|>"
    rf"|{_CHANNEL}final|<channel\|>)"
    r"|(?P<drop><\|message\|>|<\|end\|>|<\|return\|>|<\|(?:begin|end)_of_solution\|>"
    r"|<\|(?:START|END)_RESPONSE\|>|</?answer>)",
    re.IGNORECASE,
)
# What a mark may begin with, for a tail that is not yet one; the longest of each kind.
_BEGINNINGS = tuple(
    mark.lower()
    for mark in (
        *(
            f"<{slash}{seed}{name}>"
            for slash in ("", "/")
            for seed in ("", "seed:")
            for name in (
                *("think", "thinking", "thought", "thoughts"),
                *("reasoning", "reflection", "scratchpad"),
            )
        ),
        *("[THINK]", "[/THINK]", "◁think▷", "◁/think▷", "<answer>", "</answer>", "<channel|>"),
        *("<|begin_of_thought|>", "<|end_of_thought|>", "<|START_THINKING|>", "<|END_THINKING|>"),
        *("<|begin_of_solution|>", "<|end_of_solution|>", "<|START_RESPONSE|>"),
        *("<|END_RESPONSE|>", "<|message|>", "<|end|>", "<|return|>", "<|channel>thought\n"),
        *("<|start|>assistant<|channel|>commentary", "<|start|>assistant<|channel|>final"),
        *("<|start|>assistant<|channel|>analysis", "<|channel|>commentary"),
        *("<|channel|>analysis", "<|channel|>final"),
    )
)
LONGEST = max(map(len, _BEGINNINGS))
_STARTS = "<[◁"
_QUOTES = "\"'“”‘’«»「」『』`"
_SENTENCE_END = ".!?。！？…"
# gpt-oss's channels where the server leaves out special tokens.
_BARE, _BARE_FINAL = re.compile(r"analysis(?=[A-Z])"), "assistantfinal"


def split(text: str, *, ended: bool, stop: re.Pattern[str] | None = None) -> tuple[str, str]:
    """The reasoning in `text`, and the rest of it: the answer.

    While `text` grows, both only grow, but for one case: a closing mark without an opening one
    makes reasoning of what seemed to be the answer. What follows the first `stop` outside of the
    reasoning, as a call of a tool, is left as it is.
    """
    if not ended and "analysis".startswith(text.lstrip()):
        return "", ""
    if _BARE.match(text):
        text = _with_marks(text, ended=ended)
    if not any(sign in text for sign in _STARTS):
        return "", text
    return _Reader(text, ended, stop).read()


def is_unopened(text: str) -> bool:
    """Return whether the reasoning in `text` has a closing mark and no opening one."""
    first = next((mark for mark in _marks(text) if mark.lastgroup != "drop"), None)
    return first is not None and first.lastgroup == "close" and bool(split(text, ended=True)[0])


def closing(text: str, start: int = 0) -> re.Match[str] | None:
    """The first closing mark in `text`."""
    return next((mark for mark in _marks(text, start) if mark.lastgroup == "close"), None)


def begins_marked(text: str) -> bool | None:
    """Return whether `text` begins with an opening mark; None where it may become one."""
    body = text.lstrip()
    found = _MARKS.match(body)
    if (found is not None and found.lastgroup == "open") or _BARE.match(body):
        return True
    return None if "analysis".startswith(body) or undecided_start(body) == 0 else False


def undecided_start(text: str) -> int:
    """Return where a tail begins that may become a mark; the length of `text` where none does."""
    tail = text[-LONGEST:]
    for start, sign in enumerate(tail):
        if sign in _STARTS:
            rest = tail[start:].lower()
            if any(mark.startswith(rest) for mark in _BEGINNINGS):
                return len(text) - len(tail) + start
    return len(text)


def _marks(text: str, start: int = 0) -> Iterator[re.Match[str]]:
    """The marks in `text`, found by their first sign: nearly all answers have few of these."""
    if "◁" in text or "THINK]" in text.upper():
        yield from _MARKS.finditer(text, start)
        return
    at = text.find("<", start)
    while at >= 0:
        mark = _MARKS.match(text, at)
        if mark is not None:
            yield mark
        at = text.find("<", mark.end() if mark is not None else at + 1)


def _with_marks(text: str, *, ended: bool) -> str:
    """gpt-oss's channels with the marks that were left out."""
    thought, final, answer = text.removeprefix("analysis").partition(_BARE_FINAL)
    if not final and not ended:
        longest = range(len(_BARE_FINAL) - 1, 0, -1)
        cut = next((n for n in longest if thought.endswith(_BARE_FINAL[:n])), 0)
        thought = thought[: len(thought) - cut]
    return f"<|channel|>analysis{thought}" + (f"<|channel|>final{answer}" if final else "")


@dataclass(slots=True)
class _Reader:
    """One pass over a text; where it is in the text's code and sentences goes along."""

    text: str
    ended: bool
    stop: re.Pattern[str] | None
    thoughts: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    position: int = 0  # up to here the text is told apart
    inside: bool = False  # of a block
    proven: bool = False  # a block was seen: marks are this model's way
    talked_about: int = 0  # opening marks that open nothing
    ticks: int = 0  # backticks of the line so far
    fences: int = 0
    line_is_blank: bool = True
    stop_at: int = -1
    before: str = ""  # the last sign that is no space

    def read(self) -> tuple[str, str]:
        looked, end = 0, len(self.text)
        for mark in _marks(self.text):
            if not self.inside and self._stops_before(mark.start()):
                break
            self._pass_over(self.text[looked : mark.start()])
            looked = mark.end()
            if not self.ended and looked == len(self.text) and self._follows_quote(mark):
                end = mark.start()  # what comes next tells whether it is quoted
                break
            self._take(mark)
        tail = self.text[self.position : end]
        if not self.ended:
            tail = tail[: undecided_start(tail)]
        if self.inside:
            self._add_thought(tail)
        else:
            self._add_text(tail)
        return self._join_reasoning(), self._answer()

    def _take(self, mark: re.Match[str]) -> None:
        kind = mark.lastgroup
        if self.inside:
            if kind == "close" or (kind == "drop" and mark[0].startswith("<|")):
                self._add_thought(self.text[self.position : mark.start()])
                self.position = mark.end()
                self.inside = kind == "drop" and mark[0].lower() == "<|message|>"
                self._begin_line()
            return
        if kind == "drop":
            if self.proven:
                self._add_text(self.text[self.position : mark.start()])
                self.position = mark.end()
            return
        if kind == "open":
            if self._opens(mark):
                self._add_text(self.text[self.position : mark.start()])
                self.position, self.inside, self.proven = mark.end(), True, True
            else:
                self.talked_about += 1
                self._pass_over(mark[0])
            return
        if self._closes(mark):
            self._take_back(mark)
        else:
            self.talked_about = max(self.talked_about - 1, 0)
            self._pass_over(mark[0])

    def _opens(self, mark: re.Match[str]) -> bool:
        if self._is_quoted(mark):
            return False
        at_start = self.line_is_blank or self.before in _SENTENCE_END
        return at_start or self.proven or not mark[0].startswith("<") or "|" in mark[0]

    def _closes(self, mark: re.Match[str]) -> bool:
        """Return whether it ends a block whose opening mark the template wrote."""
        if self.line_is_blank:
            return not self.talked_about or not self.fences % 2
        if self.talked_about or self.fences % 2 or self.ticks % 2:
            return False
        after = self.text[mark.end() : mark.end() + 1]
        return not (self._follows_quote(mark) and after and after in _QUOTES)

    def _take_back(self, mark: re.Match[str]) -> None:
        """Return what seemed to be the answer was reasoning; unless nothing follows, and a block
        came before it."""
        is_stray = self.proven and not self.text[mark.end() :].strip()
        self._add_text(self.text[self.position : mark.start()])
        self.position, self.proven = mark.end(), True
        if not is_stray:
            self._add_thought(self._answer())
            self.said.clear()
        self._begin_line()

    def _is_quoted(self, mark: re.Match[str]) -> bool:
        return bool(self.ticks % 2 or self.fences % 2) or self._follows_quote(mark)

    def _follows_quote(self, mark: re.Match[str]) -> bool:
        return mark.start() > 0 and self.text[mark.start() - 1] in _QUOTES

    def _begin_line(self) -> None:
        self.line_is_blank, self.before, self.ticks, self.fences = True, "", 0, 0

    def _pass_over(self, segment: str) -> None:
        """Keep count of code and sentences over text that holds no mark."""
        if not segment:
            return
        self.fences += segment.count("```")
        _, newline, line = segment.rpartition("\n")
        self.ticks = line.count("`") + (0 if newline else self.ticks)
        self.line_is_blank = not line.strip() and (bool(newline) or self.line_is_blank)
        if end := segment.rstrip()[-1:]:
            self.before = end

    def _stops_before(self, start: int) -> bool:
        if self.stop is None:
            return False
        if self.stop_at < self.position:
            found = self.stop.search(self.text, self.position)
            self.stop_at = found.start() if found else len(self.text)
        return self.stop_at < start

    def _add_thought(self, thought: str) -> None:
        if thought := thought.strip("\n"):
            self.thoughts.append(thought)

    def _add_text(self, text: str) -> None:
        if not text or (not text.strip() and not self.said):
            return
        if not self.said:
            text = text.lstrip() if self.proven else text
        elif self.said[-1][-1].isspace():
            text = text.lstrip()
        elif not text[0].isspace() and self.said[-1].isascii():
            text = " " + text
        if text:
            self.said.append(text)

    def _join_reasoning(self) -> str:
        return "\n\n".join(filter(None, (each.strip() for each in self.thoughts)))

    def _answer(self) -> str:
        return "".join(self.said)

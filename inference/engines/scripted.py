"""An engine without a model, for tests, demonstrations and load.

It answers `[turn N] <prompt>`, N being the user turns it was given, this one included. A prompt
may hold directives, which are echoed like the rest:

    !tokens 500    go on with numbered words until the answer has that many tokens
    !delay 20ms    pause before every chunk (also `1.5s`)
    !block 20s     stop the event loop for so long, as a call that does not wait in a thread
    !hang          hold the interpreter for ever, as one endless step of a library
    !fail          break like a crashed engine, after the first chunk
    !refuse        refuse like a request that can never work

As an agent's model it writes calls in the Hermes format. Its turns are written in the question.
Each directive reaches to the next one, and `\\n` in it is a new line; what stands before the first
one is for people:

    !think WORDS   say this before the next call; a request to think aloud has it as reasoning
    !run PROGRAM   call Python; the next turn begins when it has returned
    !call NAME {…} call another tool with these arguments, as they are, well-formed or not
    !say WORDS     the answer; `{output}` is what the last call returned

    /solve 2x+3=10 !think I solve for x. !run print((10-3)/2) !say x is \\boxed{{output}}

`ArticleScripts` writes the articles.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Iterator
from itertools import count
from typing import Self

from inference.engines.base import (
    BadRequest,
    Chunk,
    EngineFailed,
    Health,
    Message,
    PromptTooLong,
    Request,
    Usage,
)
from inference.engines.detokenizer import StopStrings
from jobqueue.schema import FinishReason

CONTEXT_TOKENS = 100_000
SLOTS = 64

_SCRIPT = re.compile(
    r"!(think|run|call|say)\b ?((?:(?!!(?:think|run|call|say|delay)\b).)*+)", re.DOTALL
)
_TOKEN = re.compile(r"\s*\S{1,4}|\s+")
_TOKENS = re.compile(r"!tokens (\d{1,6})")
_BLOCK = re.compile(r"!block (\d+(?:\.\d+)?)(ms|s)")
_DELAY = re.compile(r"!delay (\d+(?:\.\d+)?)(ms|s)")


def tokenize(text: str) -> list[str]:
    """Pieces of a few characters; joined they are the text again."""
    return _TOKEN.findall(text)


class ScriptedEngine:
    name = "scripted"
    takes_tools = False
    model = identity = "scripted"
    capabilities = frozenset({"chat"})

    def __init__(
        self, *, context_tokens: int = CONTEXT_TOKENS, slots: int = SLOTS, script: str = ""
    ) -> None:
        """`script` holds directives for every question that has none."""
        self._script = script
        self._articles = ArticleScripts()
        self.context_tokens = context_tokens
        self.slots = slots

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        prompt = _question(request.messages)
        prompt_tokens = await self._admit(request)
        _stand_still(prompt)
        limit = request.sampling.max_tokens or self.context_tokens
        stops, made, reason = StopStrings(request.sampling.stop), 0, FinishReason.STOP
        for token in self._answer(request):
            if made == limit:
                reason = FinishReason.LENGTH
                break
            await asyncio.sleep(_delay_s(prompt))
            made += 1
            if text := stops.push(token):
                yield Chunk(text)
            if stops.hit:
                break
            if "!fail" in prompt:
                raise EngineFailed("the prompt asked for it")
        yield Chunk(stops.flush(), reason, Usage(prompt_tokens, made))

    async def count_tokens(self, messages: tuple[Message, ...]) -> int:
        return sum(len(tokenize(message.content)) for message in messages)

    def health(self) -> Health:
        return Health("ready", progress=1.0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    def _answer(self, request: Request) -> Iterator[str]:
        """The whole answer, or what is missing after its beginning."""
        last = request.messages[-1]
        begun = len(last.content) if last.role == "assistant" else 0
        for token in self._whole_answer(request):
            if rest := token[begun:]:
                yield rest
            begun = max(begun - len(token), 0)

    def _whole_answer(self, request: Request) -> Iterator[str]:
        written = self._articles.answer(request)
        if written is None:
            written = _scripted_turn(request, self._script) or None
        yield from _echo(request.messages) if written is None else tokenize(written)

    async def _admit(self, request: Request) -> int:
        if "!refuse" in _question(request.messages):
            raise BadRequest("the prompt asked for it")
        tokens = await self.count_tokens(request.messages)
        if tokens >= self.context_tokens:
            raise PromptTooLong(tokens, self.context_tokens)
        return tokens


def _question(messages: tuple[Message, ...]) -> str:
    return next(message.content for message in reversed(messages) if message.role == "user")


def _echo(messages: tuple[Message, ...]) -> Iterator[str]:
    prompt = _question(messages)
    turns = sum(message.role == "user" for message in messages)
    echo = tokenize(f"[turn {turns}] {prompt}")
    yield from echo
    if wanted := _TOKENS.search(prompt):
        numbers = count(1)
        for _ in range(int(wanted[1]) - len(echo)):
            yield f" word{next(numbers)}"


def _scripted_turn(request: Request, script: str) -> str:
    """Return the text for the turns since the question; empty without a script."""
    messages = request.messages
    questions = [n for n, message in enumerate(messages) if message.role == "user"]
    asked = next((n for n in reversed(questions) if _SCRIPT.search(messages[n].content)), None)
    written = script if asked is None else messages[asked].content
    since = messages[questions[0] if asked is None else asked :]
    returned = [message.content for message in since if message.role == "tool"]
    turns = _turns(written, aloud=bool(request.thinking))
    taken = sum(message.role == "assistant" for message in since)
    turn = turns[min(taken, len(turns) - 1)] if turns else ""
    return turn.replace("{output}", returned[-1] if returned else "")


def _turns(script: str, *, aloud: bool) -> list[str]:
    """One a call or an answer; a script of calls alone ends with what the last one returned."""
    turns, said, directive = [], "", ""
    for directive, words in _SCRIPT.findall(script):
        said += _write_call(directive, words.rstrip(), aloud=aloud)
        if directive != "think":
            turns.append(said)
            said = ""
    return turns if directive in ("", "say") else [*turns, said + "{output}"]


def _write_call(directive: str, words: str, *, aloud: bool) -> str:
    if directive == "call":
        name, _, arguments = words.partition(" ")
        return f'<tool_call>\n{{"name": "{name}", "arguments": {arguments}}}\n</tool_call>'
    text = words.replace("\\n", "\n")
    if directive == "run":
        call = {"name": "python", "arguments": {"program": text}}
        return f"<tool_call>\n{json.dumps(call)}\n</tool_call>"
    if directive == "say":
        return text
    return f"<think>\n{text}\n</think>\n\n" if aloud else f"{text}\n"


def _stand_still(prompt: str) -> None:
    if blocked := _BLOCK.search(prompt):
        time.sleep(_seconds(blocked))
    if "!hang" in prompt:
        re.match(r"(?:a+)+b", "a" * 100)  # more steps than anybody can wait for, in C


def _delay_s(prompt: str) -> float:
    found = _DELAY.search(prompt)
    if found is None:
        return 0.0
    return _seconds(found)


def _seconds(found: re.Match[str]) -> float:
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


# The articles that the scripted engine writes.
#
# The assignment may say it, each directive reaching to the next one; ` ` is a new line. `!write`
# comes once for the opening and once for each section, `!picture` and `!numbers` once for each
# section, the opening included; the last of a kind stands for those that are missing.
#
#     !plan Title: Luoyang
# 1. Caves: the grottoes
# 2. Flowers: peonies
#     !write An opening. !write On caves. !write On flowers.
#     !picture The Longmen Grottoes | Longmen Grottoes | photo
#     !numbers Title: Visitors
# 2019: 12
# 2020: 5
# 2021: 9
#     !change What a section says when it is written anew.
#
# Without directives it writes a few plain sentences about whatever was asked.

_DIRECTIVE = re.compile(
    r"!(plan|write|picture|numbers|change)\b ?"
    r"((?:(?!!(?:plan|write|picture|numbers|change|delay)\b).)*+)",
    re.DOTALL,
)
_STAGE = re.compile(
    r"\.(plan|section|picture|wish|numbers|rewrite|expand|shorten)(?:-(\d+))?(?:-\d+)?$"
)
_DIRECTIVES = {"section": "write", "rewrite": "change", "expand": "change", "shorten": "change"}
_ASSIGNMENT = re.compile(r"(?:assignment(?: was)?:|题目(?:要求)?：)\s*(.+?)(?:\n\n|\Z)", re.DOTALL)
_BEGINNING = re.compile(r"^(?:Title:|标题：)")
_PLAN = (
    "Title: {topic}\n1. The beginning: how it began\n2. The work: how it is done\n"
    "3. The people: who does it\n4. What remains: what is left of it"
)
_TEXTS = (
    "A script writes about {topic} here, and no model was asked. It knows nothing in particular.",
    "Nobody remembers the first day. What came afterwards is told in many ways; this is one.",
    "Hands do most of it, and patience does the rest. Every step has its tool and its hour.",
    "Some learn it early, others late. They meet in the evening and compare what they have made.",
    "Much is lost, something is kept. Whoever looks for {topic} will find traces of it everywhere.",
)


class ArticleScripts:
    """The script in each job's assignment. Some requests show only a section's text, without it."""

    def __init__(self) -> None:
        self._assignments: dict[str, str] = {}

    def answer(self, request: Request) -> str | None:
        """Return the scripted answer, or None for other requests."""
        found = _STAGE.search(request.id)
        if found is None:
            return None
        job = request.id[: found.start()]
        question = next(m.content for m in reversed(request.messages) if m.role == "user")
        if asked := _ASSIGNMENT.search(question):
            self._assignments[job] = asked[1]
        last = request.messages[-1]
        begun = last.content if last.role == "assistant" else ""
        said = _write_stage(self._assignments.get(job, ""), found[1], int(found[2] or 0))
        return begun + _BEGINNING.sub("", said) if begun else said


def _write_stage(assignment: str, stage: str, number: int) -> str:
    topic = _DIRECTIVE.sub("", assignment).strip() or "this"
    wanted = _DIRECTIVES.get(stage, stage)
    written = [words.rstrip() for name, words in _DIRECTIVE.findall(assignment) if name == wanted]
    if written:
        said: str = written[min(number, len(written) - 1)]
        return said.replace("\\n", "\n")
    if stage == "plan":
        return _PLAN.format(topic=topic)
    text = _TEXTS[number % len(_TEXTS)] if wanted in ("write", "change") else ""
    return text.format(topic=topic)

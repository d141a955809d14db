"""`python -m inference chat`: talk to a model in the terminal, without a queue.

The answer streams; Ctrl-C stops the answer, not the program. A line that ends in a backslash goes
on in the next one, and three double quotes open a block that three double quotes close.
"""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Callable
from contextlib import aclosing
from itertools import count

import msgspec

from common.redact import redact
from inference.chat_attempt import ChatAttempt, compose
from inference.config import OFFLINE, WorkerSettings, add_choices, from_arguments
from inference.engines import create_engine
from inference.engines.base import BadRequest, Engine, EngineFailed, Health
from jobqueue.history import LoadedHistory
from jobqueue.schema import Delta, Finished, FinishReason, Job, Sampling, Turn

HELP = """\
/help                    this list
/system [TEXT]           show or change the system prompt
/set [NAME VALUE]        show or change a parameter; the value `default` takes it back
/clear                   forget the conversation
/exit                    leave (also Ctrl-D)
A trailing \\ continues the line, three double quotes open and close a block, Ctrl-C stops."""

QUOTES = '"""'


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("chat", help="talk to a model in the terminal")
    add_choices(parser)
    parser.add_argument("--system", help="the system prompt")
    parser.set_defaults(run=run_chat)


def run_chat(arguments: argparse.Namespace) -> int:
    settings = from_arguments(arguments)
    os.environ.update(OFFLINE)
    engine = create_engine(settings.engine, settings)
    with asyncio.Runner() as runner:
        runner.run(_load(engine))
        try:
            Chat(engine, runner, settings, arguments.system).run()
        finally:
            runner.run(engine.__aexit__())
    return 0


class Memory:
    """The conversation's finished turns, as `jobqueue.history` would give them."""

    def __init__(self) -> None:
        self.turns: tuple[Turn, ...] = ()

    async def load(
        self, _channel: str, _budget_tokens: int | None, _parent: str | None
    ) -> LoadedHistory:
        return LoadedHistory(self.turns)  # `compose` drops what does not fit

    async def get_turn(self, _channel: str, job: str) -> Turn | None:
        return next((turn for turn in self.turns if turn.job == job), None)

    def add(self, turn: Turn) -> None:
        self.turns = (*self.turns, turn)

    def clear(self) -> None:
        self.turns = ()


class Chat:
    def __init__(
        self, engine: Engine, runner: asyncio.Runner, settings: WorkerSettings, system: str | None
    ) -> None:
        self._engine = engine
        self._runner = runner
        self._system = system or settings.system_prompt
        self._sampling = Sampling()
        self._memory = Memory()
        self._numbers = count(1)
        self._commands: dict[str, Callable[[str], None]] = {
            "/help": lambda _: print(HELP),
            "/system": self._do_system,
            "/set": self._do_set,
            "/clear": self._do_clear,
        }

    def run(self) -> None:
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401, PLC0415  (history and editing for `input`)
        print(f"{self._engine.model}. /help lists the commands, /exit leaves.")
        while True:
            try:
                said = read_message()
            except EOFError:
                break
            except KeyboardInterrupt:
                print("\n(/exit or Ctrl-D leaves)")
                continue
            if said.strip() == "/exit":
                break
            self._take(said)

    def _take(self, said: str) -> None:
        name, _, rest = said.strip().partition(" ")
        if name in self._commands:
            self._commands[name](rest.strip())
        elif name.startswith("/"):
            print(f"There is no command {name}; /help lists them.")
        elif name:
            self._ask(said)

    def _ask(self, prompt: str) -> None:
        try:
            self._runner.run(self._answer(prompt))
        except KeyboardInterrupt:  # before anything was there to keep
            print("\n(stopped)")
        except (BadRequest, EngineFailed, ValueError) as error:
            print(f"No answer: {redact(str(error))}")

    async def _answer(self, prompt: str) -> None:
        job = Job(
            id=f"chat-{next(self._numbers)}",
            channel="terminal",
            user="you",
            user_name="you",
            server="terminal",
            reader="terminal",
            prompt=prompt,
            sampling=self._sampling,
        )
        composed = await compose(job, self._memory, self._engine, system=self._system)
        answer = ChatAttempt(job, 1, composed, self._engine)
        finished = await self._show(answer)
        if finished.text:
            self._memory.add(answer.turn(finished))
        print(_footnote(finished))

    async def _show(self, answer: ChatAttempt) -> Finished:
        """Prints the answer as it comes. Ctrl-C cancels the task that runs this."""
        try:
            async with aclosing(answer.events()) as events:
                async for event in events:
                    if isinstance(event, Delta):
                        again = "\n\n" if event.anew else ""  # that was reasoning, or repeats
                        print(again + event.text, end="", flush=True)
                    elif isinstance(event, Finished):
                        return event
        except asyncio.CancelledError:
            return await answer.cut_short(FinishReason.CANCELLED)
        raise EngineFailed("the answer ended without a last chunk")

    def _do_system(self, text: str) -> None:
        self._system = text or self._system
        print(f"system: {self._system}")

    def _do_clear(self, _: str) -> None:
        self._memory.clear()
        print("(forgotten)")

    def _do_set(self, words: str) -> None:
        name, _, value = words.partition(" ")
        if not name:
            print("  ".join(f"{k}={v}" for k, v in msgspec.structs.asdict(self._sampling).items()))
            return
        try:
            self._sampling = with_parameter(self._sampling, name, value.strip())
        except ValueError as error:
            print(f"Not changed: {error}")
        else:
            print(f"{name} = {getattr(self._sampling, name)}")


def with_parameter(sampling: Sampling, name: str, value: str) -> Sampling:
    """Return the sampling with one parameter set from its text.

    Raises ValueError with the reason.
    """
    if name not in Sampling.__struct_fields__:
        raise ValueError(f"{name} is none of {', '.join(Sampling.__struct_fields__)}")
    values: dict[str, object] = msgspec.structs.asdict(sampling)
    values[name] = (value,) if name == "stop" else value
    if value == "default":
        del values[name]
    return msgspec.convert(values, Sampling, strict=False)


def read_message(read: Callable[[str], str] = input) -> str:
    """One message, of one line or several. Raises EOFError at the end of the input."""
    line = read("> ")
    if line.strip().startswith(QUOTES):
        return _read_block(line.strip().removeprefix(QUOTES), read)
    lines = [line]
    while lines[-1].endswith("\\"):
        lines[-1] = lines[-1][:-1]
        lines.append(read(". "))
    return "\n".join(lines)


def _read_block(first: str, read: Callable[[str], str]) -> str:
    lines = [first]
    while not lines[-1].rstrip().endswith(QUOTES):
        lines.append(read(". "))
    lines[-1] = lines[-1].rstrip().removesuffix(QUOTES)
    return "\n".join(lines).strip("\n")


async def _load(engine: Engine) -> None:
    """Enters `engine`, showing its progress where a person watches."""
    loading = asyncio.create_task(engine.__aenter__())
    while not (await asyncio.wait([loading], timeout=0.1))[0]:
        _show_progress(engine.health())
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    await loading


def _show_progress(health: Health) -> None:
    if sys.stderr.isatty():
        line = f"\r\x1b[K{health.progress or 0:4.0%} {health.detail}"
        print(line, end="", file=sys.stderr, flush=True)


def _footnote(finished: Finished) -> str:
    notes = {
        FinishReason.CANCELLED: "stopped",
        FinishReason.LENGTH: "cut at the length limit",
        FinishReason.REPETITION: "the model repeated itself; the repeats are cut",
    }
    said = [notes[finished.reason]] if finished.reason in notes else []
    if finished.omitted_turns:
        said.append(f"{finished.omitted_turns} older turns no longer fit")
    return f"\n({'; '.join(said)})" if said else ""

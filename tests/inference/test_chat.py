"""The terminal chat, typed into a real terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from inference.terminal_chat import read_message, with_parameter
from jobqueue.schema import Sampling

CTRL_C = "\x03"
CTRL_D = "\x04"


class Terminal:
    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self._process = process
        self._unread = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def expect(self, text: str, *, within_s: float = 60) -> str:
        """Everything shown up to `text`."""
        give_up = time.monotonic() + within_s
        while text not in self._unread:
            ready, _, _ = select.select([self._master], [], [], give_up - time.monotonic())
            assert ready, f"{text!r} never came; there was {self._unread!r}"
            self._unread += os.read(self._master, 4096).decode()
        shown, _, self._unread = self._unread.partition(text)
        return shown

    # Readline drops what is typed while it takes over the terminal; people then press again.

    def press_until(self, key: str, text: str) -> None:
        for _ in range(20):
            self.type(key)
            with suppress(AssertionError):
                self.expect(text, within_s=1)
                return
        raise AssertionError(f"{key!r} brought no {text!r}")

    def leave(self) -> int:
        """Ctrl-D at the prompt; the exit code."""
        for _ in range(20):
            self.type(CTRL_D)
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(timeout=1)
        raise AssertionError("Ctrl-D does not leave")

    def exit_code(self) -> int:
        return self._process.wait(timeout=20)


@contextmanager
def chatting(*arguments: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "inference", "chat", *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=_at_its_terminal,  # noqa: PLW1509
        env=os.environ | {"TERM": "dumb"},
    )
    os.close(slave)
    try:
        terminal = Terminal(master, process)
        terminal.expect("> ")
        yield terminal
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _at_its_terminal() -> None:
    """Opening it makes it the session's own: then Ctrl-C becomes a signal, which is heard even if
    these tests run where it is not, as jobs in the background do."""
    os.close(os.open(os.ttyname(0), os.O_RDWR))
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_conversation_streams_remembers_and_ends() -> None:
    with chatting("--engine", "scripted") as terminal:
        terminal.type("hello\n")
        terminal.expect("[turn 1] hello")
        terminal.type("again\n")
        terminal.expect("[turn 2] again")
        terminal.type("/clear\n")
        terminal.expect("(forgotten)")
        terminal.type("anew\n")
        terminal.expect("[turn 1] anew")
        terminal.type("/exit\n")
        assert terminal.exit_code() == 0


def test_ctrl_c_stops_the_answer_and_not_the_program() -> None:
    with chatting("--engine", "scripted") as terminal:
        terminal.type("go !tokens 2000 !delay 20ms\n")
        terminal.expect("word3")
        terminal.type(CTRL_C)
        shown = terminal.expect("(stopped)", within_s=20)
        assert "word2000" not in shown
        terminal.type("next\n")
        terminal.expect("[turn 2] next")  # the stopped turn is remembered
        terminal.press_until(CTRL_C, "(/exit or Ctrl-D leaves)")
        assert terminal.leave() == 0


def test_commands_and_long_messages() -> None:
    with chatting("--engine", "scripted", "--system", "a pirate") as terminal:
        terminal.type("/system\n")
        terminal.expect("system: a pirate")
        terminal.type("/system a poet\n")
        terminal.expect("system: a poet")
        terminal.type("/set max_tokens 3\n")
        terminal.expect("max_tokens = 3")
        terminal.type("a long question\n")
        terminal.expect("(cut at the length limit)")
        terminal.type("/set max_tokens default\n")
        terminal.expect("max_tokens = None")
        terminal.type('"""first\nsecond\n"""\n')
        terminal.expect("[turn 2] first\r\nsecond")
        terminal.type("one \\\ntwo\n")
        terminal.expect("[turn 3] one \r\ntwo")
        terminal.type("/dance\n")
        terminal.expect("no command /dance")
        terminal.type("!refuse\n")
        terminal.expect("No answer: the prompt asked for it")
        terminal.type("/help\n")
        terminal.expect("/set [NAME VALUE]")


def test_a_pipe_is_as_good_as_a_terminal() -> None:
    command = [sys.executable, "-m", "inference", "chat", "--engine", "scripted"]
    ran = subprocess.run(command, input=b"hello\nagain\n", capture_output=True, check=True)
    assert b"[turn 1] hello" in ran.stdout
    assert b"[turn 2] again" in ran.stdout


@pytest.mark.model
def test_a_real_model_answers(smollm2: object) -> None:
    with chatting("--model", "SmolLM2-135M-Instruct") as terminal:
        terminal.type("/set temperature 0\n")
        terminal.expect("temperature = 0.0")
        terminal.type("What is the capital of France?\n")
        terminal.expect("Paris")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["hello"], "hello"),
        (["a \\", "b\\", "c"], "a \nb\nc"),
        (['"""', "a", "", "b", '"""'], "a\n\nb"),
        (['"""a', 'b"""'], "a\nb"),
        (['"""one line"""'], "one line"),
        (["not \\ here"], "not \\ here"),
    ],
)
def test_messages_of_several_lines(lines: list[str], message: str) -> None:
    typed = iter(lines)
    assert read_message(lambda _: next(typed)) == message
    assert list(typed) == []


def test_parameters_are_read_from_their_text() -> None:
    sampling = with_parameter(with_parameter(Sampling(), "temperature", "0.2"), "stop", "END")
    assert (sampling.temperature, sampling.stop) == (0.2, ("END",))
    assert with_parameter(sampling, "stop", "default").stop == ()


@pytest.mark.parametrize(
    ("name", "value"), [("temperature", "hot"), ("temperature", "3"), ("colour", "red")]
)
def test_a_wrong_parameter_is_told(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        with_parameter(Sampling(), name, value)

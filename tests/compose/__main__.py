"""The images and docker-compose.yml under a real Docker engine: `make compose-check`.

Starts a private dockerd, builds, starts the stack without a GPU as docs/operate.md says, and lets
people talk to the bot on a local Discord. Needs root, Docker, debootstrap and a package index.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.compose import confinement
from tests.compose.engine import Engine, EngineError
from tests.deploy.composed import PROJECT

FILES = ("docker-compose.yml", "deploy/compose.cpu.yml", "tests/compose/compose.yml")
MODEL = "SmolLM2-135M-Instruct"
SERVICES = ("redis", "sandbox", "inference", "bot")
WORK_FOLDERS = "/var/tmp"  # noqa: S108 — a container's root lies there, and /tmp may be memory

Json = dict[str, Any]


class Stack:
    """The project as an operator has it, in a folder of its own: `with Stack(…) as stack:`."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.counts = {"asked": 0, "answered": 0, "told": 0, "lost": 0, "doubled": 0}

    def __enter__(self) -> "Stack":
        shutil.rmtree(self.folder, ignore_errors=True)
        copy_tracked_files(self.folder)
        self.engine.environment["COMPOSE_FILE"] = ":".join(FILES)
        self.init("not.a.token")
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.attempt(
            *("compose", "--profile", "*", "down", "--volumes", "--remove-orphans"),
            cwd=self.folder,
        )

    def init(self, token: str) -> None:
        """Write secrets and settings, as docs/operate.md says."""
        (self.folder / "secrets" / "discord_token").unlink(missing_ok=True)
        subprocess.run(
            ["sh", "deploy/init.sh"],
            check=True,
            cwd=self.folder,
            env={**self.engine.environment, "DISCORD_TOKEN": token},
            stdout=subprocess.DEVNULL,
        )

    def compose(self, *arguments: str) -> str:
        return self.engine.docker("compose", *arguments, cwd=self.folder)

    def inspect(self, service: str) -> Json:
        container = self.compose("ps", "--quiet", service).strip()
        (inspected,) = json.loads(self.engine.docker("inspect", container))
        found: Json = inspected
        return found

    def run_inside(self, service: str, *command: str) -> str:
        return self.compose("exec", "-T", service, *command)

    def read_metrics(self, service: str) -> str:
        asked = "urllib.request.urlopen('http://127.0.0.1:9464/metrics', timeout=5).read().decode()"
        return self.run_inside(service, "python", "-c", f"import urllib.request; print({asked})")

    @contextmanager
    def open_discord(self) -> Iterator["Discord"]:
        """Start the local Discord, and give the bot its token."""
        with subprocess.Popen(
            ["docker", "compose", "run", "--rm", "-T", "--no-deps", "--use-aliases", "discord"],
            cwd=self.folder,
            env=self.engine.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            discord = Discord(self, process)
            self.init(discord.read_line()["token"])
            yield discord


class Discord:
    """The other end of tests/compose/discord.py."""

    def __init__(self, stack: Stack, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stack = stack
        self._to, self._from = process.stdin, process.stdout
        self.lines: list[Json] = []  # what people saw

    def read_line(self) -> Json:
        line = self._from.readline()
        if not line:
            raise EngineError("the local Discord has ended")
        event: Json = json.loads(line)
        return event

    def write_line(self, line: str) -> None:
        self._to.write(f"{line}\n")
        self._to.flush()

    def play(self, script: str, disturb: Callable[[], object] | None = None) -> Json:
        """Play a script of tests/compose/scripts. Return its counts.

        `disturb` is called once, as soon as an answer has text.
        """
        self.write_line(script)
        with ThreadPoolExecutor(1) as pool:
            disturbed = None
            while (line := self.read_line())["event"] != "summary":
                self.lines.append(line)
                if disturb and not disturbed and line["event"] == "edit" and line["content"]:
                    disturbed = pool.submit(disturb)
            if disturbed:
                disturbed.result()
            elif disturb:
                raise EngineError(f"{script} ended before anything could be disturbed")
        for name in self._stack.counts:
            self._stack.counts[name] += line[name]
        return line


def copy_tracked_files(folder: Path) -> None:
    """Copy the working tree, without what git ignores, as a clone would have it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        cwd=PROJECT,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (source := PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)


def check(engine: Engine, python: Path, folder: Path) -> Json:
    """Build and start the stack, play everything, and return the counts."""
    say("make the base images")
    engine.import_bases(python)
    with Stack(engine, folder) as stack:
        say("build")
        stack.compose("build")
        say(f"pull {MODEL}")
        stack.compose("run", "--rm", "-T", "models", "pull", MODEL, "--gguf")
        with stack.open_discord() as discord:
            say("start")
            stack.compose("up", "--detach", "--wait", "--wait-timeout", "300", *SERVICES)
            discord.write_line("the stack is up")
            say("check the confinement")
            check_confinement(stack)
            say("play a conversation")
            report("conversation", discord, discord.play("conversation.jsonl"))
            say("check doctors and metrics")
            check_observation(stack)
            for what, disturb in disturbances(stack):
                say(f"{what} while answers are written")
                report(what, discord, discord.play("questions.jsonl", disturb))
            say("attack the sandbox")
            say(attack_sandbox(stack))
            say("look for secrets")
            check_secrets(stack)
    return {"services": len(SERVICES), **stack.counts}


def disturbances(stack: Stack) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what may happen to the stack at any time, by name."""
    for service in SERVICES:
        yield f"kill {service}", partial(kill, stack, service)
    yield "restart redis", partial(stack.compose, "restart", "redis")
    yield "upgrade inference", partial(upgrade, stack, "inference")


def kill(stack: Stack, service: str) -> None:
    """Kill a service, and start it again: after `docker kill` the engine does not."""
    stack.compose("kill", service)
    stack.compose("start", service)


def upgrade(stack: Stack, service: str) -> None:
    """Replace a service by a newer version, as docs/operate.md says."""
    before = stack.inspect(service)["Image"]
    with (stack.folder / "inference" / "__init__.py").open("a") as code:
        code.write(f"\n# {time.time()}\n")
    stack.compose("build", service)
    stack.compose("up", "--detach", "--no-deps", "--wait", service)
    if stack.inspect(service)["Image"] == before:
        raise EngineError(f"{service} runs the old image")


def check_confinement(stack: Stack) -> None:
    """Check that each container is held as docker-compose.yml says, and that none reaches out."""
    config = json.loads(stack.compose("config", "--format", "json"))["services"]
    problems: list[str] = []
    for name in SERVICES:
        inside = stack.run_inside(name, "sh", "-c", confinement.INSIDE)
        problems += confinement.find_problems(name, config[name], stack.inspect(name), inside)
    for name in ("inference", "sandbox"):
        reached = stack.run_inside(name, "python", "-c", confinement.NO_WAY_OUT)
        problems += (f"{name}: {line}" for line in reached.splitlines())
    if not stack.run_inside("bot", "python", "-c", confinement.NO_WAY_OUT):
        problems.append("bot: reaches nothing, so that the others do not proves nothing")
    if problems:
        raise EngineError("\n".join(problems))


def check_observation(stack: Stack) -> None:
    """Check what operators look at: both doctors, the metrics, and the states that are kept."""
    stack.run_inside("bot", "python", "-m", "bot", "doctor")
    stack.run_inside("inference", "python", "-m", "inference", "doctor")
    wanted = {
        "inference": (
            'commonroom_programs_total{status="ok"}',
            "commonroom_completion_tokens_total",
        ),
        "bot": ('commonroom_bot_requests_total{kind="edit"',),
    }
    for service, names in wanted.items():
        metrics = stack.read_metrics(service)
        for name in names:
            if not any(
                line.startswith(name) and float(line.split()[-1]) for line in metrics.splitlines()
            ):
                raise EngineError(f"{service}: {name} counted nothing:\n{metrics}")
    stack.run_inside("inference", "sh", "-c", "ls ~/.cache/commonroom/states/*.state")


def attack_sandbox(stack: Stack) -> str:
    """Run the attacks of the sandbox's tests in its container, and return their count."""
    program = ("python", "-m", "tests.inference.sandbox.attacks.run", "/run/sandbox/sandbox.sock")
    return stack.compose("exec", "-T", "--workdir", "/src", "sandbox", *program).strip()


def check_secrets(stack: Stack) -> None:
    """Check that no secret stands where others can read it."""
    secrets = {
        name: (stack.folder / "secrets" / name).read_text().strip()
        for name in ("discord_token", "redis_password")
    }
    places = {
        "the logs": stack.compose("logs", "--no-color"),
        "the process list": confinement.list_processes(),
        "the configuration": stack.compose("config"),
    }
    for name in SERVICES:
        places[f"docker inspect of {name}"] = json.dumps(stack.inspect(name))
    if leaks := confinement.find_leaks(secrets, places):
        raise EngineError("\n".join(leaks))


def report(what: str, discord: Discord, counts: Json) -> None:
    """Print the counts of a script, and what people saw where an answer was lost or doubled."""
    counted = " ".join(f"{name}={count}" for name, count in counts.items() if name != "event")
    say(f"{what}: {counted}")
    if counts["lost"] or counts["doubled"]:
        for line in discord.lines:
            print(json.dumps(line, ensure_ascii=False), file=sys.stderr)
    discord.lines.clear()


def say(text: str) -> None:
    print(f"{time.monotonic() - STARTED:6.1f} s  {text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.compose", description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep the engine's images there, for next time")
    parser.add_argument(
        "--python",
        type=Path,
        default=Path(sys.base_prefix),
        help="the Python of the images: a folder with bin/ and lib/ (default: this one)",
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="compose-", dir=WORK_FOLDERS) as temporary:
        folder = arguments.folder or Path(temporary)
        try:
            with Engine(folder / "engine") as engine:
                counts = check(engine, arguments.python, folder / "project")
        except EngineError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    seconds = time.monotonic() - STARTED
    print(
        "compose: "
        + " ".join(f"{name}={count}" for name, count in counts.items())
        + f" seconds={seconds:.0f}"
    )
    return 1 if counts["lost"] or counts["doubled"] or not counts["answered"] else 0


STARTED = time.monotonic()

if __name__ == "__main__":
    sys.exit(main())

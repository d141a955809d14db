"""Each image's steps, where no Docker is: `make deploy-check`.

For each of the Dockerfile's targets a folder with what it copies and a virtual environment of its
own; its `pip install` lines, run there; then its program as another user, with everything read-only
but /tmp, as docker-compose.yml runs it. What the base image brings (Python, apt) is this machine's.
"""

import argparse
import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.redis_server import RedisServer, free_port
from playground.discord.server import LocalDiscord
from tests.deploy.composed import MAIN, PROJECT, services

UID = 10001
START_S = 120.0
# The locked torch brings CUDA along, gigabytes that are of no use here: another one is installed
# before, and the locked one and its libraries are left out.
CONSTRAINTS = PROJECT / "constraints" / "cpu.txt"
CUDA = re.compile(r"^(?:torch|triton|cuda-|nvidia-).*\n(?: .*\n)*", re.MULTILINE)
ABSENT = {
    "bot": ("torch", "transformers"),
    "inference": ("discord",),
    "cpu": ("torch", "transformers", "discord"),
    "sandbox": ("torch", "discord"),
}


@dataclass(frozen=True)
class Image:
    """A stage of the Dockerfile: its lines, joined where they go on."""

    target: str
    base: tuple[tuple[str, str], ...]
    steps: tuple[tuple[str, str], ...]

    @property
    def copies(self) -> Iterator[list[str]]:
        return (words.split() for what, words in self.base if what == "COPY")

    @property
    def installs(self) -> Iterator[str]:
        """The `pip` commands of its RUN lines."""
        for what, words in self.steps:
            if what == "RUN":
                commands = (re.sub(r"--mount=\S+", "", each).strip() for each in words.split("&&"))
                yield from (each for each in commands if each.startswith("pip "))

    @property
    def entry_point(self) -> list[str]:
        return list(re.findall('"([^"]+)"', dict(self.steps)["ENTRYPOINT"]))


def images(dockerfile: Path) -> dict[str, Image]:
    text = re.sub(r"\\\n\s*", " ", dockerfile.read_text("utf-8"))
    lines = [line.split(" ", 1) for line in text.splitlines() if line and line[0] != "#"]
    stages: dict[str, list[tuple[str, str]]] = {}
    for what, words in lines:
        if what == "FROM":
            name = words.rsplit(" ", 1)[-1]
            stages[name] = []
        elif stages:  # before the first one stand the arguments of the build
            stages[name].append((what, words))
    base = (*stages.pop("code"), *stages.pop("base"))
    return {name: Image(name, base, tuple(steps)) for name, steps in stages.items()}


def build(image: Image, folder: Path) -> Path:
    """The image's /app, and its Python beside it, which is returned."""
    app = folder / "app"
    for *sources, to in image.copies:
        for source in sources:
            place = app / source if to == "./" else folder / to[1:] if to[0] == "/" else app / to
            _copy(PROJECT / source, place)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "--quiet"]
    lock = folder / "requirements" / f"{image.target}.txt"
    if lock.exists() and CUDA.search(locked := lock.read_text()):
        lock.write_text(CUDA.sub("", locked))
        subprocess.run([*pip, "install", "--constraint", str(CONSTRAINTS), "torch"], check=True)
    for command in image.installs:
        _, *arguments = shlex.split(command.replace("/requirements/", f"{folder}/requirements/"))
        subprocess.run([*pip, *arguments], cwd=app, check=True)
    return python


def _copy(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, to, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, to)


def wall(**environment: str) -> list[str]:
    """As a container: nobody in particular, a disk that cannot be written, an empty /tmp."""
    prefix = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]  # noqa: S108
    prefix += ["--unshare-user", "--uid", str(UID), "--gid", str(UID), "--cap-drop", "ALL"]
    prefix += ["--die-with-parent", "--clearenv", "--setenv", "HOME", "/tmp"]  # noqa: S108
    for name, value in environment.items():
        prefix += ["--setenv", name, value]
    return [*prefix, "--chdir", "/"]


def confined(
    *command: str, says: str = "", **environment: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*wall(**environment), *command], check=False, capture_output=True, text=True, input=says
    )


async def served(*command: str, port: int, **environment: str) -> tuple[bool, str]:
    """Whether it becomes healthy, by docker-compose.yml's own check, and ends well on SIGTERM."""
    *_, health = services(MAIN)["bot"]["healthcheck"]["test"]
    asking = [sys.executable, "-c", health.replace("9464", str(port))]
    process = await asyncio.create_subprocess_exec(
        *(*wall(**environment), *command),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    give_up, healthy = time.monotonic() + START_S, False
    while not healthy and process.returncode is None and time.monotonic() < give_up:
        asked = await asyncio.create_subprocess_exec(*asking, stderr=asyncio.subprocess.DEVNULL)
        healthy = await asked.wait() == 0
    if process.returncode is None:
        psutil.Process(process.pid).children()[0].terminate()  # bwrap ends with its child's code
    told, _ = await process.communicate()
    return healthy and process.returncode == 0, told.decode()


def check(image: Image, folder: Path) -> Iterator[tuple[str, bool, str]]:
    """What was tried, whether it held, and what was said."""
    python = str(build(image, folder))
    _, *entry = image.entry_point
    helped = confined(python, *entry, "--help")
    yield "entry point", helped.returncode == 0, helped.stdout + helped.stderr
    for module in ABSENT[image.target]:
        there = confined(python, "-c", f"import {module}")
        yield f"no {module}", "ModuleNotFoundError" in there.stderr, there.stderr
    written = confined(python, "-c", "open('/var/tmp/x', 'w')")
    yield "read-only", "Read-only file system" in written.stderr, written.stderr
    yield from PROVED[image.target](python, folder)


def _bot(python: str, _: Path) -> Iterator[tuple[str, bool, str]]:
    done = confined(python, "-m", "bot", "doctor", REDIS_URL="redis://127.0.0.1:1")
    yield "doctor", "DISCORD_TOKEN is not set" in done.stdout, done.stdout + done.stderr
    done = confined(python, "-m", "bot", "init", "-")
    yield "init", "DISCORD_TOKEN=" in done.stdout, done.stderr
    done = confined(python, "-c", "import bot.discord.setup, bot.render.latex_to_png")
    yield "all that it imports is there", done.returncode == 0, done.stderr
    yield ("health, and a graceful stop", *asyncio.run(_bot_serves(python)))


async def _bot_serves(python: str) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as redis:
        async with LocalDiscord() as discord:
            return await served(
                *(python, "-m", "bot"),
                port=(port := free_port()),
                COMMONROOM_METRICS_PORT=str(port),
                DISCORD_TOKEN=discord.token,
                DISCORD_API=discord.api_url,
                REDIS_URL=redis.url,
            )


def _inference(python: str, _: Path) -> Iterator[tuple[str, bool, str]]:
    done = confined(python, "-m", "inference", "doctor", REDIS_URL="redis://127.0.0.1:1")
    yield "versions", re.search(r"good\s+│ versions", done.stdout) is not None, done.stdout
    yield from _serves(python)


def _serves(python: str) -> Iterator[tuple[str, bool, str]]:
    done = confined(python, "-c", "import lagent, triton" if _has_gpu() else "import lagent")
    yield "lagent", done.returncode == 0, done.stderr
    yield ("health, and a graceful stop", *asyncio.run(_inference_serves(python)))


async def _inference_serves(python: str) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as redis:
        return await served(
            *(python, "-m", "inference", "serve", "--engine", "scripted"),
            port=(port := free_port()),
            INFERENCE_METRICS_PORT=str(port),
            INFERENCE_PROGRAMS="false",
            REDIS_URL=redis.url,
        )


def _cpu(python: str, folder: Path) -> Iterator[tuple[str, bool, str]]:
    name, models = "SmolLM2-135M-Instruct", str(folder / "models")
    pull = [python, "-m", "inference", "models", "pull", name, "--gguf"]
    environment = {"COMMONROOM_MODELS": models}
    subprocess.run(
        pull, check=True, cwd="/", env=os.environ | environment, stdout=subprocess.DEVNULL
    )
    environment |= {"INFERENCE_MODEL": name, "INFERENCE_ENGINE": "llamacpp"}
    done = confined(
        *(python, "-m", "inference", "chat"),
        says="What is the capital of France?\n/exit\n",
        **environment,
    )
    yield "llama.cpp answers", "Paris" in done.stdout, done.stdout + done.stderr
    done = confined(python, "-m", "inference", "doctor", REDIS_URL="redis://127.0.0.1:1")
    told = re.search(r"good\s+│ llama.cpp", done.stdout) and "--gguf" in done.stdout
    yield "doctor, without a model", bool(told), done.stdout + done.stderr
    yield from _serves(python)


def _has_gpu() -> bool:
    return Path("/dev/nvidiactl").exists()


def _sandbox(python: str, folder: Path) -> Iterator[tuple[str, bool, str]]:
    programs = str(folder / "programs")
    environment = {"COMMONROOM_SANDBOX": programs}
    builder = images(PROJECT / "Dockerfile")["programs"]
    subprocess.run(
        [str(build(builder, folder / "builder")), "-m", "inference.sandbox", "install"],
        check=True, cwd="/", env=os.environ | environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    done = confined(
        python, "-m", "inference.sandbox", "check", "--bubblewrap", "off", **environment
    )
    yield "a program runs", done.returncode == 0, done.stdout + done.stderr


PROVED = {"bot": _bot, "inference": _inference, "cpu": _cpu, "sandbox": _sandbox}


def main() -> int:
    known = images(PROJECT / "Dockerfile")
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.images", description=__doc__)
    parser.add_argument("targets", nargs="*", default=list(PROVED), metavar="TARGET")
    failed = 0
    for target in parser.parse_args().targets:
        with tempfile.TemporaryDirectory(prefix=f"{target}-", dir="/var/tmp") as name:
            Path(name).chmod(0o755)  # as an image's folders are
            for tried, holds, said in check(known[target], Path(name)):
                print(
                    f"{target}: {tried}: {'ok' if holds else f'FAILED: {said[-2000:]}'}", flush=True
                )
                failed += not holds
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())

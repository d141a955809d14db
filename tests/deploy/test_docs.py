"""What the pages tell an operator to do can be done, and what they name is there.

A block that begins with ```sh run is run, page by page, in a folder of its own.
"""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from bench.redis_server import RedisServer
from bot.discord.doctor import NEEDED
from bot.discord.setup import COMMANDS
from bot.i18n import LANGUAGES, words
from playground.discord.server import LocalDiscord
from tests.deploy.composed import MAIN, PROJECT, services
from tests.deploy.conftest import Helped
from tests.deploy.screenshots import SHOTS

PAGES = sorted([*(PROJECT / "docs").glob("*.md"), PROJECT / "README.md"])
OPERATORS = [PROJECT / "docs" / f"{name}.md" for name in ("operate", "admin", "use", "security")]
RUN = re.compile(r"^```sh run\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")


def fenced(page: Path) -> str:
    return "\n".join(re.findall(r"^```.*?\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL))


async def test_the_commands_of_the_operator_s_page_work(tmp_path: Path) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    shutil.copytree(PROJECT / "deploy", here / "deploy")
    script = "set -euo pipefail\n" + "\n".join(RUN.findall(OPERATORS[0].read_text()))
    with RedisServer(tmp_path / "redis") as server:
        async with LocalDiscord() as discord:
            process = await asyncio.create_subprocess_exec(
                *("bash", "-c", script),
                cwd=here,
                env={
                    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                    "PYTHONPATH": str(PROJECT),
                    "HOME": str(home),
                    "REDIS_URL": server.url,
                    "DISCORD_TOKEN": discord.token,
                    "DISCORD_API": discord.api_url,
                    "INFERENCE_ENGINE": "scripted",
                    "INFERENCE_PROGRAMS": "false",
                },
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            async with asyncio.timeout(120):
                told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    assert (here / "secrets/discord_token").read_text() == "another.real.token\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_every_picture_is_made_by_the_script_and_shown() -> None:
    text = "".join(page.read_text() for page in PAGES)
    kept = {path.name for path in (PROJECT / "docs").glob("*.png")}
    assert kept == SHOTS.keys()
    assert {name for name in kept if f"{name})" not in text} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_and_make_targets_exist(page: Path) -> None:
    makefile = (PROJECT / "Makefile").read_text()
    for code in CODE.findall(page.read_text()):
        if re.fullmatch(
            r"(bot|inference|jobqueue|playground|deploy|tests|docs|bench)/[\w./-]+", code
        ):
            assert (PROJECT / code).exists(), code
    for target in re.findall(r"\bmake ([a-z-]+)\b(?=[`\s]*(?:ARGS|`|#|$))", page.read_text(), re.M):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("page", OPERATORS, ids=lambda page: page.name)
def test_variables_are_read_by_somebody(page: Path) -> None:
    read = "".join(
        path.read_text()
        for pattern in ("bot/config.py", "inference/config.py", "deploy/*", "docker-compose.yml")
        for path in PROJECT.glob(pattern)
        if path.is_file()
    )
    foreign = {"CUDA_VISIBLE_DEVICES"}
    text = " ".join([*CODE.findall(page.read_text()), fenced(page)])
    for variable in set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", text)) - foreign:
        field = variable.removesuffix("_FILE").lower()
        assert variable in read or re.search(
            rf"\b({field}|{field.removeprefix('inference_')}):", read
        ), variable


@pytest.mark.parametrize("page", OPERATORS, ids=lambda page: page.name)
def test_slash_commands_exist(page: Path) -> None:
    keys = [f"command-{command.qualified_name}" for command in COMMANDS]
    names = {words(language)(key) for language in LANGUAGES for key in keys if _named(key)}
    for name in re.findall(r"`/(\w+)(?: [^`]*)?`", page.read_text()):
        assert name in names | {"healthz", "readyz", "metrics"}, name


def _named(key: str) -> bool:
    return re.fullmatch("command-[a-z]+", key) is not None


def test_python_commands_exist(helped: Helped) -> None:
    asked: dict[str, set[str]] = {}
    for page in PAGES:
        text = page.read_text()
        for module, command in re.findall(r"python -m ([a-z.]+) ([a-z]+)\b", text):
            asked.setdefault(module, set()).add(command)
    for module in ("bot", "inference", "jobqueue", "inference.sandbox"):
        told = helped(module)
        assert {c for c in asked[module] if not re.search(rf"\b{c}\b", told)} == set()


def test_the_page_names_exactly_the_permissions_that_are_asked_for() -> None:
    [listed] = re.findall(r"^> View Channels[^#]+?\n\n", OPERATORS[0].read_text(), re.MULTILINE)
    told = {" ".join(name.split()) for name in listed.replace("\n>", " ").lstrip("> ").split(",")}
    needed = {name.replace("_", " ").title() for name, wanted in NEEDED if wanted}
    # discord.py's name of it is older than the portal's.
    assert {n.lower() for n in needed} - {"read messages"} == {n.lower() for n in told} - {
        "view channels"
    }


def test_services_that_compose_commands_name_exist() -> None:
    text = fenced(OPERATORS[0])
    named = re.findall(r"docker compose (?:exec|stop|start|run --rm) (\w+)", text)
    assert named
    assert set(named) <= set(services(MAIN))

"""The file that `init` writes, read by the programs."""

import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from bot.__main__ import main
from bot.config import BotSettings
from common.env_template import render_template
from common.settings import load_settings
from inference.config import WorkerSettings


def by_a_shell(file: Path) -> dict[str, str]:
    script = f"set -a; . {file}; env"
    told = subprocess.run(
        ["/bin/sh", "-c", script], env={}, check=True, capture_output=True, text=True
    ).stdout
    return dict(line.split("=", 1) for line in told.splitlines())


@pytest.mark.parametrize(
    ("program", "settings"), [("bot", BotSettings), ("inference", WorkerSettings)]
)
def test_every_setting_is_there_with_its_default(
    program: str, settings: type[msgspec.Struct], tmp_path: Path
) -> None:
    written = render_template(program, settings)
    file = tmp_path / "all.env"
    file.write_text(re.sub("^#(?=[A-Z])", "", written, flags=re.MULTILINE))
    named = set(re.findall("^#?([A-Z_]+)=", written, re.MULTILINE))
    assert named == {field.encode_name.upper() for field in msgspec.structs.fields(settings)}
    required = {"DISCORD_TOKEN": "t"} if program == "bot" else {}
    assert load_settings(settings, by_a_shell(file) | required) == load_settings(settings, required)


def test_each_has_words_but_those_that_need_none() -> None:
    silent = re.findall(r"\n\n#?([A-Z_]+)=", render_template("bot", BotSettings))
    assert silent == []


def test_a_file_is_private_and_never_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bot.env"
    assert main(["init", str(file)]) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("DISCORD_TOKEN=mine\n")
    assert main(["init", str(file)]) == 1
    assert "File exists; nothing was written" in capsys.readouterr().err
    assert file.read_text() == "DISCORD_TOKEN=mine\n"


@pytest.mark.parametrize("name", ["{}/bot.env", "bot.env", "my settings/bot.env"])
def test_the_printed_command_reads_the_file(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path(name.format(tmp_path))
    file.parent.mkdir(exist_ok=True)
    assert main(["init", str(file)]) == 0
    command = capsys.readouterr().out.partition("then: ")[2]
    file.write_text("DISCORD_TOKEN=read\n")
    done = subprocess.run(
        ["/bin/sh", "-c", f'{command.strip()}; echo "$DISCORD_TOKEN"'],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout == "read\n"

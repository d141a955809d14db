"""The units, as systemd itself reads them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bot.config import BotSettings
from inference.config import ALSO, WorkerSettings
from tests.deploy.composed import PROJECT
from tests.deploy.conftest import Helped

UNITS = sorted((PROJECT / "deploy/systemd").glob("*.service"))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_understands_them(tmp_path: Path) -> None:
    for unit in UNITS:
        # It looks whether the program is there, and here it is this one.
        text = unit.read_text("utf-8").replace("/opt/commonroom/bin/python", sys.executable)
        (tmp_path / unit.name).write_text(text, "utf-8")
    command = ["systemd-analyze", "--man=no", "verify", *map(str, sorted(tmp_path.iterdir()))]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_they_set_what_is_a_setting_and_run_what_is_a_command(unit: Path, helped: Helped) -> None:
    text = unit.read_text("utf-8")
    known = {"HOME", *(variable for variable, _ in ALSO)}
    for settings in (BotSettings, WorkerSettings):
        known |= {field.encode_name.upper() for field in msgspec.structs.fields(settings)}
    for line in re.findall("^Environment=(.*)", text, re.MULTILINE):
        assert {each.split("=")[0].removesuffix("_FILE") for each in line.split()} <= known
    [command] = re.findall(r"^ExecStart=/opt/commonroom/bin/python (.*)", text, re.MULTILINE)
    assert "ProtectSystem=strict" in text
    assert "NoNewPrivileges=yes" in text
    _, module, *arguments = command.split()
    helped(module, *arguments)

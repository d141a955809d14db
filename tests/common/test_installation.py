"""Programs without their extra, and their version."""

import importlib
import platform
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from common.installation import describe_installation, require_extra

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
SCRIPTS = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["scripts"]
LACKS = {"bot": "discord", "inference": "aiohttp", "playground": "psutil"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_program_says_what_brings_what_it_lacks(script: str) -> None:
    extra, module = script.removeprefix("commonroom-"), SCRIPTS[script].partition(":")[0]
    hidden = f"import sys; sys.modules[{LACKS[extra]!r}] = None; import {module}"
    done = subprocess.run([sys.executable, "-c", hidden], check=False, capture_output=True)
    assert done.returncode == 2
    assert done.stderr.decode() == (
        f"error: {LACKS[extra]} is not installed; pip install 'commonroom[{extra}]' brings all "
        "that this program needs\n"
    )


def test_a_module_of_ours_that_is_missing_is_a_mistake_and_seen() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such"), require_extra("bot"):
        importlib.import_module("bot.no_such")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_program_tells_its_version(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    main = importlib.import_module(SCRIPTS[script].partition(":")[0]).main
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    version = metadata.version("commonroom")
    assert capsys.readouterr().out == f"commonroom {version}\n"
    assert describe_installation().found.startswith(
        f"{version}, Python {platform.python_version()}, "
    )

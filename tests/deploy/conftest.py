"""Starting our own commands."""

import runpy
import sys
from collections.abc import Callable

import pytest

Helped = Callable[..., str]


@pytest.fixture
def helped(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Helped:
    """What `python -m MODULE ARGUMENTS --help` prints; within this process, which has what takes
    seconds to import."""

    def start(module: str, *arguments: str) -> str:
        monkeypatch.delitem(sys.modules, f"{module}.__main__", raising=False)
        monkeypatch.setattr(sys, "argv", [module, *arguments, "--help"])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module(f"{module}.__main__", run_name="__main__")
        assert ended.value.code == 0
        return capsys.readouterr().out

    return start

"""Runs `judge` in the sandbox, where everything that looks at a model's output belongs."""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from inference.maths.reading import Reading
from inference.sandbox.client import Sandbox
from inference.sandbox.errors import ProgramRefused
from jobqueue.schema import Check

TIMEOUT_S = 8.0
_OURS = "from inference."


@dataclass(frozen=True, slots=True)
class Verdict:
    check: Check = Check.NONE
    latex: str = ""  # of what was printed, where it is an answer to typeset


async def verdict(sandbox: Sandbox, reading: Reading | None, printed: str) -> Verdict:
    """What a test of its own says about a printed answer to a question."""
    asked: dict[str, object] = {"printed": printed, "task": reading.task if reading else None}
    said = await _judged(sandbox, asked)
    return Verdict(Check(str(said["verdict"])), str(said["latex"])) if said else Verdict()


async def same(sandbox: Sandbox, printed: str, expected: str) -> bool:
    said = await _judged(sandbox, {"printed": printed, "expected": expected})
    return bool(said and said["same"])


async def _judged(sandbox: Sandbox, asked: dict[str, object]) -> dict[str, object] | None:
    program = f"{_judge()}\n\nmain({json.dumps(asked)!r})\n"
    try:
        result = await sandbox.run(program, timeout_s=TIMEOUT_S)
    except ProgramRefused:  # the output is too long to be an answer
        return None
    if not result.ok:
        return None
    said: dict[str, object] = json.loads(result.stdout)
    return said


@cache
def _judge() -> str:
    """Its two files as one program: nothing of ours can be imported in the sandbox."""
    folder = files("inference.maths")
    parts = (folder.joinpath(name).read_text("utf-8") for name in ("printed.py", "judge.py"))
    return "\n".join(
        line for part in parts for line in part.splitlines() if not line.startswith(_OURS)
    )

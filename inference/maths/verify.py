"""Runs the verifier in the sandbox, where all processing of a model's output belongs."""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

from inference.maths.question_parser import Reading
from inference.sandbox.client import Sandbox
from inference.sandbox.result import ProgramRefused
from jobqueue.schema import Check

TIMEOUT_S = 8.0
_OURS = re.compile(r"^from inference\.[^\n(]*(?:\([^)]*\))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Verdict:
    check: Check = Check.NONE
    latex: str = ""  # of what was printed, where it is an answer to typeset


async def verdict(sandbox: Sandbox, reading: Reading | None, printed: str) -> Verdict:
    """Test a printed answer to a question and return the verdict."""
    asked: dict[str, object] = {"printed": printed, "task": reading.task if reading else None}
    said = await _run_verifier(sandbox, asked)
    return Verdict(said.verdict, said.latex) if said else Verdict()


async def same(sandbox: Sandbox, printed: str, expected: str) -> bool:
    said = await _run_verifier(sandbox, {"printed": printed, "expected": expected})
    return bool(said and said.same)


class _VerifierOutput(msgspec.Struct, forbid_unknown_fields=True):
    """The only output of the verifier, at its end."""

    verdict: Check
    latex: str
    same: bool | None


async def _run_verifier(sandbox: Sandbox, asked: dict[str, object]) -> _VerifierOutput | None:
    """Run the verifier. Return None if it did not finish within its limits.

    It runs in a process of its own, after the program under test has ended: that program can
    neither write where the verifier writes nor have a word of its output executed.
    """
    program = f"{_verifier_program()}\n\nmain({json.dumps(asked)!r})\n"
    try:
        result = await sandbox.run(program, timeout_s=TIMEOUT_S)
    except ProgramRefused:  # the output is too long to be an answer
        return None
    if not result.ok:
        return None
    try:
        return msgspec.json.decode(result.stdout, type=_VerifierOutput)
    except msgspec.MsgspecError:
        return None


@cache
def _verifier_program() -> str:
    """Return the verifier's files as one program: the sandbox can import nothing of ours."""
    folder = files("inference.maths")
    names = ("sympy_reader.py", "output_parser.py", "verifier.py")
    parts = (folder.joinpath(name).read_text("utf-8") for name in names)
    return "\n".join(_OURS.sub("", part) for part in parts)

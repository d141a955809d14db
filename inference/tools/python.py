"""The tool that runs a model's program in the sandbox."""

from inference.sandbox.result import ProgramRefused, ProgramResult, Status
from inference.tools.base import Context, Outcome, ToolFailed, cut
from jobqueue.schema import CallStatus

_STATUS: dict[Status, CallStatus] = {"ok": CallStatus.OK, "timeout": CallStatus.TIMEOUT}
_WHY: dict[Status, str] = {
    "timeout": "The program took too long and was stopped.",
    "memory": "The program ran out of memory.",
    "output_limit": "The program printed too much and was stopped.",
    "killed": "The program was stopped from outside.",
}


async def python(context: Context, program: str) -> Outcome:
    """Run a Python program and return what it prints. sympy, numpy and matplotlib are installed;
    there is no network, and nothing is kept between programs. Figures are shown to the user.

    program: Python source that prints its result
    """
    if context.sandbox is None:
        raise ToolFailed("programs cannot be run here")
    try:
        result = await context.sandbox.run(program, files=context.files)
    except ProgramRefused as refused:
        return Outcome(str(refused), CallStatus.REFUSED)
    return Outcome(
        cut(describe_result(result)),
        _STATUS.get(result.status, CallStatus.FAILED),
        result.figures,
        round(result.duration_ms),
    )


def describe_result(result: ProgramResult) -> str:
    """Describe a program's output and last value, then what went wrong."""
    parts = [result.stdout.strip(), result.value if result.ok and result.value else ""]
    if not result.ok:
        parts += [result.stderr.strip(), _WHY.get(result.status, "")]
    return "\n".join(part for part in parts if part)

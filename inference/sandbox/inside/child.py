"""What a forked child does, from the fork to its end."""

import os
import sys
from collections.abc import Collection
from typing import Any, NoReturn

from inference.sandbox.inside import confine, runner, wire
from inference.sandbox.inside.datafiles import given

CONFINED = b"confined"  # told to the zygote before the program is read
_MAX_FD = 1 << 16


def live(
    request: wire.Run,
    descriptors: list[int],
    *,
    confined: int,
    ruleset: int,
    seccomp_filter: bytes,
    memory: int,
    cpu_s: int,
    zygote: int,
) -> NoReturn:
    """Confine, then read and run the program. `descriptors`: output, program, files."""
    try:
        output, program, *files = descriptors
        os.dup2(output, 1)
        os.dup2(output, 2)
        _close_all_but({0, 1, 2, program, confined, ruleset, *files})
        confine.confine(ruleset, seccomp_filter, memory=memory, cpu_s=cpu_s, zygote=zygote)
        os.write(confined, CONFINED)
        os.close(confined)
        source = _read(program)
        _seed()
        given.give(dict(zip(request.files, files, strict=True)))
        runner.run(source, 1, request)
        os._exit(0)
    except Exception as failure:
        # Before the program: its end of the pipe is open, and the zygote learns why.
        os.write(confined, f"{type(failure).__name__}: {failure}".encode()[:1000])
    finally:
        os._exit(1)  # whatever happened, never back into the zygote's code


def _read(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as file:
        return file.read().decode("utf-8", "replace")


def _close_all_but(kept: Collection[int]) -> None:
    """Other programs' descriptors, the control socket and the listener among them."""
    low = 0
    for descriptor in sorted(kept):
        if low < descriptor:  # an empty range would close everything
            os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, _MAX_FD)


def _seed() -> None:
    """`random` does so itself after a fork, numpy does not."""
    numpy: Any = sys.modules["numpy"]
    numpy.random.seed(int.from_bytes(os.urandom(4), "little"))

"""A program that was installed without what it needs says so, in one sentence.

with installed("bot"):
    import discord
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

OURS = frozenset({"bench", "bot", "common", "inference", "jobqueue", "playground"})


@contextmanager
def require_extra(extra: str) -> Iterator[None]:
    """Around a program's imports: a package that is missing ends it with exit code 2."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in OURS:
            raise  # a mistake of ours, which no package mends
        print(
            f"error: {package} is not installed; pip install 'commonroom[{extra}]' brings "
            "all that this program needs",
            file=sys.stderr,
        )
        raise SystemExit(2) from None

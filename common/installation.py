"""What is installed: which version, and whether the extra that a program needs is there."""

import argparse
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata

from common.doctor_report import Finding, good

OUR_PACKAGES = frozenset({"bench", "bot", "common", "inference", "jobqueue", "playground"})


def get_version() -> str:
    try:
        return metadata.version("commonroom")
    except metadata.PackageNotFoundError:
        return "not installed"


def add_version_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"commonroom {get_version()}")


def describe_installation() -> Finding:
    """Return a doctor's first finding: the versions that a bug report has to name."""
    machine = f"{platform.system()} {platform.release()}, {platform.machine()}"
    return good("commonroom", f"{get_version()}, Python {platform.python_version()}, {machine}")


@contextmanager
def require_extra(extra: str) -> Iterator[None]:
    """Exit with code 2 and one sentence if an import in this block finds no package.

    with require_extra("bot"):
        import discord
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in OUR_PACKAGES:
            raise  # a mistake of ours, which no package mends
        print(
            f"error: {package} is not installed; pip install 'commonroom[{extra}]' brings "
            "all that this program needs",
            file=sys.stderr,
        )
        raise SystemExit(2) from None

"""Which version this is, as it was installed; pyproject.toml is where it is decided."""

import argparse
import platform
from importlib import metadata

from common.doctor_report import Finding, good


def get_version() -> str:
    try:
        return metadata.version("commonroom")
    except metadata.PackageNotFoundError:
        return "not installed"


def describe_installation() -> Finding:
    """For a doctor: what a report of a fault has to say first."""
    machine = f"{platform.system()} {platform.release()}, {platform.machine()}"
    return good("commonroom", f"{get_version()}, Python {platform.python_version()}, {machine}")


def add_version_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"commonroom {get_version()}")

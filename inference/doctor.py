"""`python -m inference doctor`: what prevents a worker from working, and what to do about it."""

import asyncio
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from common.doctor_report import Finding, fault, good, print_report, warning
from common.installation import describe_installation
from common.settings import SettingsError, load_settings
from inference import ocr
from inference.config import OFFLINE, WorkerSettings
from inference.engines.engine_checks import check_engine
from inference.models import model_store
from inference.sandbox import check as sandbox
from inference.sandbox.config import SandboxConfig
from jobqueue import doctor_checks

if TYPE_CHECKING:
    import argparse

SPARE_BYTES = 1 << 30


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `doctor` command; its namespace carries `run(arguments) -> exit code`."""
    parser = subparsers.add_parser("doctor", help="look for what keeps a worker from its work")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--fast", action="store_true", help="do not read the whole model")
    parser.set_defaults(run=_run)


def _run(arguments: "argparse.Namespace") -> int:
    os.environ.update(OFFLINE)
    found = asyncio.run(examine(os.environ, hashes=not arguments.fast))
    return print_report(found, as_json=arguments.json)


async def examine(environ: Mapping[str, str], *, hashes: bool) -> list[Finding]:
    return [
        describe_installation(),
        *await _of_settings(environ, hashes=hashes),
        *await doctor_checks.check_redis_server(environ),
        doctor_checks.check_disk(model_store.root(), SPARE_BYTES),
    ]


async def _of_settings(environ: Mapping[str, str], *, hashes: bool) -> list[Finding]:
    try:
        settings = load_settings(WorkerSettings, environ)
    except SettingsError as error:
        todo = "python -m inference init writes a file that names all"
        return [fault("settings", str(error), todo)]
    port = doctor_checks.check_metrics_port(
        settings.metrics_host, settings.metrics_port, "INFERENCE_METRICS_PORT"
    )
    return [
        *await check_engine(settings, hashes=hashes),
        *await _of_programs(settings),
        _of_reading(),
        port,
    ]


def _of_reading() -> Finding:
    if ocr.is_installed():
        return good("reading", "text in pictures is read where the model sees none")
    todo = "pip install 'commonroom[ocr]'"
    return warning("reading", "rapidocr is not installed: text in pictures is not read", todo)


async def _of_programs(settings: WorkerSettings) -> list[Finding]:
    if not settings.programs:
        return [good("sandbox", "not wanted: INFERENCE_PROGRAMS is off, and so is /solve")]
    if importlib.util.find_spec("lagent") is None:
        todo = "pip install 'commonroom[agent]' && pip install --no-deps lagent==0.5.0rc3"
        return [warning("sandbox", "lagent is not installed, so /solve is off", todo)]
    socket = Path(settings.sandbox_socket) if settings.sandbox_socket else None
    return await sandbox.findings(SandboxConfig(socket=socket))

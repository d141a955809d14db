"""`init`: a file that names every setting, written from the settings themselves.

The words are the comments that stand beside the fields, or above them, so that the file can say
nothing else than the program does. It is read by `docker compose` and systemd (`env_file`,
`EnvironmentFile`), and by a shell (`set -a; . ./bot.env`).
"""

import ast
import inspect
import io
import os
import sys
import textwrap
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import FieldInfo, fields

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
    also: tuple[tuple[str, str], ...] = (),
) -> None:
    """Add the `init` command; `also` are variables, and their words, that `settings` lacks."""
    parser = subparsers.add_parser("init", help="write a file that names every setting")
    parser.add_argument(
        "file", type=Path, nargs="?", default=Path(f"{program}.env"), help="or - for the terminal"
    )
    parser.set_defaults(
        run=lambda given: _init(given.file, render_template(program, settings, also))
    )


def _init(path: Path, content: str) -> int:
    if str(path) == "-":
        print(content, end="")
        return 0
    try:
        # It is going to hold secrets, so it is never anybody else's to read; and never lost.
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        print(f"error: {path}: {error.strerror}; nothing was written", file=sys.stderr)
        return 1
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(content)
    print(f"{path} is written. Fill it in, then: set -a; . ./{path}; set +a")
    return 0


def render_template(
    program: str, settings: type[msgspec.Struct], also: tuple[tuple[str, str], ...] = ()
) -> str:
    entries = [_entry(*each) for each in _described(settings)]
    entries += [_entry(variable, told, "", required=False) for variable, told in also]
    return "\n".join([HEADER.format(program=program), *entries])


def _described(settings: type[msgspec.Struct]) -> Iterator[tuple[str, str, str, bool]]:
    told, types = _comments(settings), get_type_hints(settings)
    for field in fields(settings):
        choices = get_args(types[field.name]) if get_origin(types[field.name]) is Literal else ()
        one_of = f"One of {', '.join(map(str, choices))}." if choices else ""
        words = " ".join(filter(None, (told.get(field.name, ""), one_of)))
        words = words[:1].upper() + words[1:]
        yield field.encode_name.upper(), words, _default(field), field.required


def _default(field: FieldInfo) -> str:
    if field.required:
        return ""
    value = str(field.default)
    return value.lower() if isinstance(field.default, bool) else value


def _entry(variable: str, told: str, default: str, required: bool) -> str:
    words = "".join(f"# {line}\n" for line in textwrap.wrap(told, 96))
    value = f'"{default}"' if any(character in default for character in " '") else default
    return f"{words}{'' if required else '#'}{variable}={value}\n"


def _comments(settings: type[msgspec.Struct]) -> dict[str, str]:
    """By field: the comment in its lines, else the comments right above it."""
    source = textwrap.dedent(inspect.getsource(settings))
    beside, above = dict[int, str](), dict[int, str]()  # by line
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            alone = token.line.lstrip().startswith("#")
            (above if alone else beside)[token.start[0]] = token.string.lstrip("# ")
    [parsed] = ast.parse(source).body
    assert isinstance(parsed, ast.ClassDef)  # noqa: S101  (that is what a settings class is)
    return {
        node.target.id: beside.get(node.lineno) or _ending_at(node.lineno - 1, above)
        for node in parsed.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _ending_at(line: int, comments: dict[int, str]) -> str:
    """The block of comments whose last line is `line`."""
    return f"{_ending_at(line - 1, comments)} {comments[line]}".strip() if line in comments else ""

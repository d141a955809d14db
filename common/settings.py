"""Settings come from environment variables: `redis_url` is REDIS_URL.

class Settings(msgspec.Struct, frozen=True):
    redis_url: str
    slots: int = 4

settings = load(Settings, os.environ)

REDIS_URL_FILE names a file that holds it instead, as secrets of containers and of systemd do.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import fields

from common.redact import redact

T = TypeVar("T", bound=msgspec.Struct)


class SettingsError(Exception):
    """One sentence for the operator that names the variable."""


def load_settings(cls: type[T], environ: Mapping[str, str]) -> T:
    """Fill `cls` from `environ`, or from files that it names; an empty variable counts as unset.

    A field is named for its variable in lower case; `msgspec.field(name=…)` gives another name.

    Raises:
        SettingsError: a variable is missing or has a wrong value.
    """
    names = [f.encode_name for f in fields(cls)]
    given = {name: value for name in names if (value := read_variable(name.upper(), environ))}
    for name, value in given.items():
        if not _is_text(value):
            raise SettingsError(f"{name.upper()} is not UTF-8")
    try:
        return msgspec.convert(given, cls, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_sentence(str(error))) from None


def read_variable(variable: str, environ: Mapping[str, str]) -> str:
    """The variable itself, else what the file says that `<variable>_FILE` names, else nothing.

    Raises:
        SettingsError: the file cannot be read.
    """
    path = environ.get(f"{variable}_FILE", "")
    if (value := environ.get(variable, "")) or not path:
        return value
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        # The path is told but where it may be the secret itself.
        where = "" if "://" in path else f": {redact(path)!r}"
        raise SettingsError(f"{variable}_FILE cannot be read: {error.strerror}{where}") from None
    except ValueError:
        raise SettingsError(f"{variable}_FILE names no file with text") from None


def _is_text(value: str) -> bool:
    """Bytes of the environment that are no text come as surrogates."""
    return value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value)


def load_or_exit(cls: type[T], environ: Mapping[str, str]) -> T:
    """`load` for a `main`: says what is wrong and exits with code 2."""
    try:
        return load_settings(cls, environ)
    except SettingsError as error:
        print(f"error: {redact(str(error))}", file=sys.stderr)
        raise SystemExit(2) from None


def _sentence(problem: str) -> str:
    """msgspec's "Expected `int`, got `str` - at `$.slots`" in an operator's words."""
    if missing := re.search(r"missing required field `(\w+)`", problem):
        return f"{missing[1].upper()} is not set"
    what, _, path = problem.partition(" - at `$.")
    if not path:
        return problem  # of several variables together, which it names
    return f"{path.rstrip('`').upper()}: {what[:1].lower()}{what[1:]}"

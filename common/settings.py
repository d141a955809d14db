"""Settings from environment variables: the field `redis_url` is REDIS_URL.

    class Settings(msgspec.Struct, frozen=True):
        redis_url: str
        slots: Annotated[int, Meta(description="Answers at once.")] = 4

    settings = load_settings(Settings, os.environ)

REDIS_URL_FILE may name a file with the value instead, for secrets of containers and of systemd.
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
    """A setting is missing or wrong: one sentence for the operator, with the variable's name."""


def load_settings(cls: type[T], environ: Mapping[str, str]) -> T:
    """Fill `cls` from `environ`, or from files that it names; an empty variable counts as unset.

    The variable is the field's encoded name in capitals; `msgspec.field(name=…)` sets another.

    Raises:
        SettingsError: a variable is missing or has a wrong value.
    """
    names = [f.encode_name for f in fields(cls)]
    values = {name: value for name in names if (value := read_variable(name.upper(), environ))}
    for name, value in values.items():
        # Bytes of the environment that are not UTF-8 become surrogates.
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise SettingsError(f"{name.upper()} is not UTF-8")
    try:
        return msgspec.convert(values, cls, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_to_sentence(str(error))) from None


def load_or_exit(cls: type[T], environ: Mapping[str, str]) -> T:
    """Load settings for a `main`; if they are wrong, say why and how to go on, and exit with 2."""
    try:
        return load_settings(cls, environ)
    except SettingsError as error:
        program = cls.__module__.partition(".")[0]
        print(
            f"error: {redact(str(error))} (python -m {program} init writes a file that names every "
            f"setting, python -m {program} doctor checks them)",
            file=sys.stderr,
        )
        raise SystemExit(2) from None


def read_variable(variable: str, environ: Mapping[str, str]) -> str:
    """Return the variable, else the content of the file that `<variable>_FILE` names, else "".

    Raises:
        SettingsError: the file cannot be read.
    """
    path = environ.get(f"{variable}_FILE", "")
    if (value := environ.get(variable, "")) or not path:
        return value
    try:
        return Path(path).read_text("utf-8").strip()
    except OSError as error:
        # A URL in place of a path may be the secret itself.
        where = "" if "://" in path else f": {redact(path)!r}"
        raise SettingsError(f"{variable}_FILE cannot be read: {error.strerror}{where}") from None
    except ValueError:
        raise SettingsError(f"{variable}_FILE names no file with text") from None


def _to_sentence(problem: str) -> str:
    """Turn msgspec's "Expected `int`, got `str` - at `$.slots`" into a sentence for operators."""
    if missing := re.search(r"missing required field `(\w+)`", problem):
        return f"{missing[1].upper()} is not set"
    what, _, path = problem.partition(" - at `$.")
    if not path:
        return problem  # raised by the class itself, which names its variables
    return f"{path.rstrip('`').upper()}: {what[:1].lower()}{what[1:]}"

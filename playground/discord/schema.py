"""Schemas for JSON bodies, with the errors that Discord answers.

The `check` of a schema adds errors to `FormErrors`, with Discord's codes and texts. As on Discord,
members that no schema names are ignored, and a member that is null counts as absent.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from playground.discord.errors import FormErrors
from playground.discord.json_types import Json

LARGEST_SNOWFLAKE = 2**64 - 1
LARGEST_INTEGER = 2**53
URL_CHARACTERS = 2048
WEB = ("http", "https")
UPLOADED = "attachment"
ADDRESS_SCHEMES = (*WEB, UPLOADED)


class Schema(Protocol):
    def check(self, form: FormErrors, at: str, value: Any) -> None:
        """Add the errors of `value`, which is not None, under the path `at`."""


def matches(kind: Schema, value: Any) -> bool:
    """Return whether the value has no error."""
    form = FormErrors()
    kind.check(form, "value", value)
    return form.is_empty


def is_blank(text: str) -> bool:
    """Return whether a text has only white space and invisible characters."""
    return all(c.isspace() or unicodedata.category(c) in ("Cf", "Cc") for c in text)


@dataclass(frozen=True, slots=True)
class String:
    """A string. A `visible` one may not be blank. Lengths count Unicode code points."""

    least: int = 0
    most: int | None = None
    visible: bool = False

    def check(self, form: FormErrors, at: str, value: Any) -> None:
        if not isinstance(value, str):
            form.add(at, "STRING_TYPE_CONVERT", f'Could not interpret "{value!s:.40}" as string.')
        elif not _is_unicode(value):
            form.add(at, "STRING_TYPE_CONVERT", "Could not interpret a lone surrogate as string.")
        elif not value and self.least:
            form.add(at, "BASE_TYPE_REQUIRED", "This field is required")
        else:
            _check_length(form, at, len(value), self.least, self.most)
            if self.visible and value and is_blank(value):
                form.add(at, "BASE_TYPE_REQUIRED", "This field is required")


@dataclass(frozen=True, slots=True)
class Integer:
    """An integer within bounds."""

    least: int = 0
    most: int = LARGEST_INTEGER

    def check(self, form: FormErrors, at: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            form.add(at, "NUMBER_TYPE_COERCE", f'Value "{value!s:.40}" is not int.')
        else:
            _check_bounds(form, at, value, self.least, self.most, what="int")


@dataclass(frozen=True, slots=True)
class Number:
    """A number. JSON's numbers are finite."""

    def check(self, form: FormErrors, at: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            form.add(at, "NUMBER_TYPE_COERCE", f'Value "{value!s:.40}" is not float.')
        else:
            _check_bounds(form, at, value, -LARGEST_INTEGER, LARGEST_INTEGER, what="float")


@dataclass(frozen=True, slots=True)
class Boolean:
    def check(self, form: FormErrors, at: str, value: Any) -> None:
        if not isinstance(value, bool):
            form.add(at, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")


@dataclass(frozen=True, slots=True)
class Snowflake:
    """An id, as a string or an integer. Discord accepts both."""

    def check(self, form: FormErrors, at: str, value: Any) -> None:
        if not is_snowflake(value):
            form.add(at, "NUMBER_TYPE_COERCE", f'Value "{value!s:.40}" is not snowflake.')


def is_snowflake(value: Any) -> bool:
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= 20):
            return False
        value = int(value)
    return type(value) is int and 0 <= value <= LARGEST_SNOWFLAKE


@dataclass(frozen=True, slots=True)
class Choice:
    values: tuple[Any, ...]

    def check(self, form: FormErrors, at: str, value: Any) -> None:
        if isinstance(value, bool) or value not in self.values:
            listed = ", ".join(repr(each) for each in self.values)
            form.add(at, "BASE_TYPE_CHOICES", f"Value must be one of ({listed}).")


@dataclass(frozen=True, slots=True)
class Url:
    """A URL."""

    schemes: tuple[str, ...] = WEB
    most: int = URL_CHARACTERS

    def check(self, form: FormErrors, at: str, value: Any) -> None:
        if not isinstance(value, str):
            form.add(at, "STRING_TYPE_CONVERT", f'Could not interpret "{value!s:.40}" as string.')
            return
        scheme, host = _split_url(value)
        if scheme and scheme not in self.schemes:
            listed = ", ".join(repr(each) for each in self.schemes)
            message = f'Scheme "{scheme:.40}" is not supported. Scheme must be one of ({listed}).'
            form.add(at, "URL_TYPE_INVALID_SCHEME", message)
        elif not scheme or not host or any(c.isspace() for c in value):
            form.add(at, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
        else:
            _check_length(form, at, len(value), 0, self.most)


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A time in ISO 8601."""

    def check(self, form: FormErrors, at: str, value: Any) -> None:
        try:
            datetime.fromisoformat(value)
        except (TypeError, ValueError):
            message = f"Could not parse {value!s:.40}. Should be ISO8601."
            form.add(at, "DATE_TIME_TYPE_PARSE", message)


@dataclass(frozen=True, slots=True)
class Array:
    """A list. A `unique` one holds no value twice."""

    of: Schema
    least: int = 0
    most: int | None = None
    unique: bool = False

    def check(self, form: FormErrors, at: str, value: Any) -> None:
        if not isinstance(value, list):
            form.add(at, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
            return
        _check_length(form, at, len(value), self.least, self.most)
        for index, each in enumerate(value):
            check_member(form, f"{at}.{index}".removeprefix("."), self.of, each)
        if self.unique and len({repr(each) for each in value}) < len(value):
            form.add(at, "SET_TYPE_ALREADY_CONTAINS_VALUE", "The set already contains a value")


@dataclass(frozen=True, slots=True)
class Object:
    """An object. `rules` check it only where its members have no errors."""

    members: Mapping[str, Schema] = field(default_factory=dict)
    required: Sequence[str] = ()
    rules: Sequence[Callable[[FormErrors, str, Json], None]] = ()

    def check(self, form: FormErrors, at: str, value: Any) -> None:
        if not isinstance(value, dict):
            form.add(at, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            return
        inside = FormErrors()
        prefix = f"{at}." if at else ""
        for name in self.required:
            if value.get(name) is None:
                inside.add(f"{prefix}{name}", "BASE_TYPE_REQUIRED", "This field is required")
        for name, kind in self.members.items():
            if value.get(name) is not None:
                kind.check(inside, f"{prefix}{name}", value[name])
        if inside.is_empty:
            for rule in self.rules:
                rule(inside, at, value)
        form.merge(inside)


@dataclass(frozen=True, slots=True)
class TaggedObject:
    """An object whose member `type` decides on its other members."""

    types: dict[int, Object]

    def check(self, form: FormErrors, at: str, value: Any) -> None:
        if not isinstance(value, dict):
            form.add(at, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            return
        kind = value.get("type")
        if type(kind) is not int or kind not in self.types:
            listed = ", ".join(map(str, sorted(self.types)))
            message = f'Value of field "type" must be one of ({listed}).'
            form.add(f"{at}.type".removeprefix("."), "UNION_TYPE_CHOICES", message)
        else:
            self.types[kind].check(form, at, value)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A value of one of several schemas. The errors of any other value are the first schema's."""

    kinds: tuple[Schema, ...]

    def check(self, form: FormErrors, at: str, value: Any) -> None:
        if not any(matches(kind, value) for kind in self.kinds):
            self.kinds[0].check(form, at, value)


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object whose keys are among `names`."""

    names: frozenset[str]
    of: Schema

    def check(self, form: FormErrors, at: str, value: Any) -> None:
        if not isinstance(value, dict):
            form.add(at, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
            return
        for name, each in value.items():
            if name not in self.names:
                form.add(at, "ENUM_TYPE_COERCE", f'Value "{name:.40}" is not a valid enum value.')
            elif each is not None:
                self.of.check(form, f"{at}.{name}".removeprefix("."), each)


def check_member(form: FormErrors, at: str, kind: Schema, value: Any) -> None:
    """Check a value that must not be null."""
    if value is None:
        form.add(at, "BASE_TYPE_REQUIRED", "This field is required")
    else:
        kind.check(form, at, value)


def check_body_schema(kind: Schema, body: Any, at: str = "") -> None:
    """Raise Discord's error for a body that does not fit (code 50035)."""
    form = FormErrors()
    kind.check(form, at, body)
    form.raise_if_any()


def _check_length(form: FormErrors, at: str, length: int, least: int, most: int | None) -> None:
    if length >= least and (most is None or length <= most):
        return
    if most is None:
        form.add(at, "BASE_TYPE_MIN_LENGTH", f"Must be {least} or more in length.")
    elif least:
        form.add(at, "BASE_TYPE_BAD_LENGTH", f"Must be between {least} and {most} in length.")
    else:
        form.add(at, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")


def _check_bounds(
    form: FormErrors, at: str, value: float, least: int, most: int, *, what: str
) -> None:
    if value < least:
        message = f"{what} value should be greater than or equal to {least}."
        form.add(at, "NUMBER_TYPE_MIN", message)
    elif not value <= most:
        form.add(at, "NUMBER_TYPE_MAX", f"{what} value should be less than or equal to {most}.")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _split_url(address: str) -> tuple[str, str]:
    try:
        parts = urlsplit(address)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc


# --- emoji ------------------------------------------------------------------------------------
# The table is Unicode's property Emoji, version 17, without digits.

_TABLE = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf"
    "\u23e9-\u23f3\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2604\u260e"
    "\u2611\u2614\u2615\u2618\u261d\u2620\u2622\u2623\u2626\u262a\u262e\u262f\u2638-\u263a\u2640"
    "\u2642\u2648-\u2653\u265f\u2660\u2663\u2665\u2666\u2668\u267b\u267e\u267f\u2692-\u2697\u2699"
    "\u269b\u269c\u26a0\u26a1\u26a7\u26aa\u26ab\u26b0\u26b1\u26bd\u26be\u26c4\u26c5\u26c8\u26ce"
    "\u26cf\u26d1\u26d3\u26d4\u26e9\u26ea\u26f0-\u26f5\u26f7-\u26fa\u26fd\u2702\u2705\u2708-\u270d"
    "\u270f\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755"
    "\u2757\u2763\u2764\u2795-\u2797\u27a1\u27b0\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50"
    "\u2b55\u3030\u303d\u3297\u3299\U0001f004\U0001f0cf\U0001f170\U0001f171\U0001f17e\U0001f17f"
    "\U0001f18e\U0001f191-\U0001f19a\U0001f201\U0001f202\U0001f21a\U0001f22f\U0001f232-\U0001f23a"
    "\U0001f250\U0001f251\U0001f300-\U0001f321\U0001f324-\U0001f393\U0001f396\U0001f397"
    "\U0001f399-\U0001f39b\U0001f39e-\U0001f3f0\U0001f3f3-\U0001f3f5\U0001f3f7-\U0001f4fd"
    "\U0001f4ff-\U0001f53d\U0001f549-\U0001f54e\U0001f550-\U0001f567\U0001f56f\U0001f570"
    "\U0001f573-\U0001f57a\U0001f587\U0001f58a-\U0001f58d\U0001f590\U0001f595\U0001f596\U0001f5a4"
    "\U0001f5a5\U0001f5a8\U0001f5b1\U0001f5b2\U0001f5bc\U0001f5c2-\U0001f5c4\U0001f5d1-\U0001f5d3"
    "\U0001f5dc-\U0001f5de\U0001f5e1\U0001f5e3\U0001f5e8\U0001f5ef\U0001f5f3\U0001f5fa-\U0001f64f"
    "\U0001f680-\U0001f6c5\U0001f6cb-\U0001f6d2\U0001f6d5-\U0001f6d9\U0001f6dc-\U0001f6e5"
    "\U0001f6e9\U0001f6eb\U0001f6ec\U0001f6f0\U0001f6f3-\U0001f6fc\U0001f7e0-\U0001f7eb\U0001f7f0"
    "\U0001f90c-\U0001f93a\U0001f93c-\U0001f945\U0001f947-\U0001f9ff\U0001fa70-\U0001fa7c"
    "\U0001fa80-\U0001fac6\U0001fac8\U0001facc-\U0001fadd\U0001fadf-\U0001faeb\U0001faef-\U0001fafa"
)
_ONE = f"[{_TABLE}]\ufe0f?[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
_EMOJI = re.compile(rf"{_ONE}(?:\u200d{_ONE})*|[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3")


def is_emoji(text: str) -> bool:
    """Return whether the text is one Unicode emoji."""
    return _EMOJI.fullmatch(text) is not None


def check_emoji(form: FormErrors, at: str, emoji: Json) -> None:
    """Check an emoji object: a custom emoji has an `id`, any other a Unicode `name`."""
    if emoji.get("id") is None and not is_emoji(emoji.get("name") or ""):
        form.add(f"{at}.name", "BUTTON_COMPONENT_INVALID_EMOJI", "Invalid emoji")

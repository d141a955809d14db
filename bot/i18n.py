"""The texts that people read, in their language.

Fluent keeps a sentence with its arguments and plurals in one place and needs no compile step;
a text file per language is all that a translator touches.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources

from fluent.runtime import FluentBundle, FluentResource

DEFAULT = "en"
LANGUAGES = ("en", "zh-CN")

Argument = str | int


class Words:
    """The messages of one language."""

    def __init__(self, language: str) -> None:
        # Isolation marks are for mixed directions; Discord shows them as boxes on some phones.
        self._bundle = FluentBundle([language], use_isolating=False)
        self._bundle.add_resource(FluentResource(source(language)))

    def __call__(self, key: str, arguments: Mapping[str, Argument] | None = None) -> str:
        """Return the message `key`. Raises LookupError without the message or an argument."""
        pattern = self._bundle.get_message(key).value
        if pattern is None:
            raise LookupError(key)
        text, errors = self._bundle.format_pattern(pattern, dict(arguments or {}))
        if errors:
            raise LookupError(f"{key}: {errors}")
        return str(text)


def source(language: str) -> str:
    """Return the source of a language's messages."""
    return (resources.files("bot.locales") / f"{language}.ftl").read_text(encoding="utf-8")


@cache
def _load(language: str) -> Words:
    return Words(language)


def words(locale: str = DEFAULT) -> Words:
    """Return the messages for one of Discord's locales, such as `en-GB`, `zh-CN` or `zh-TW`."""
    return _load("zh-CN" if locale.startswith("zh") else DEFAULT)

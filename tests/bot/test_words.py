"""Every sentence exists in every language, is used, and takes the same arguments."""

import re
from pathlib import Path
from typing import get_args

import pytest
from discord import app_commands
from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor

import bot
from bot.discord.ask.references import UNREAD
from bot.discord.setup import COMMANDS
from bot.files.file_reader import _REASONS
from bot.i18n import LANGUAGES, source, words
from jobqueue.schema import FailureCode, WorkerPhase

CODE = [p.read_text() for p in sorted(Path(bot.__file__).parent.rglob("*.py"))]


class _Variables(Visitor):
    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802
        self.names.add(node.id.name)


def _arguments(language: str) -> dict[str, set[str]]:
    """The messages of a language and the arguments each takes."""
    found = {}
    for entry in FluentParser().parse(source(language)).body:
        assert not isinstance(entry, ast.Junk), entry.content
        if isinstance(entry, ast.Message):
            variables = _Variables()
            variables.visit(entry)
            assert entry.id.name not in found, entry.id.name
            found[entry.id.name] = variables.names
    return found


ENGLISH = _arguments("en")


def _used() -> set[str]:
    """Keys that stand in the code, and those built from an enumeration."""
    literal = {
        key for text in CODE for key in re.findall(r"""["']([a-z]+(?:-[a-z0-9_]+)+)["']""", text)
    }
    scopes = ("user", "channel", "server", "total", "memory")
    built = {f"file-{reason}" for reason in _skipped()}
    built |= {f"phase-{phase}" for phase in get_args(WorkerPhase)}
    built |= {"settings-place"}
    built |= {f"reply-{why}" for why in UNREAD if why != "unreadable"}
    built |= {f"thread-{why}" for why in UNREAD if why != "forbidden"}
    built |= {f"failed-{code}" for code in FailureCode} | {f"full-{scope}" for scope in scopes}
    built |= _command_keys()
    return built | (literal & set(ENGLISH)) | _notice_keys() | {"internal", "unavailable"}


def _command_keys() -> set[str]:
    """Names and descriptions of slash commands, and names of their options."""
    commands = {key for text in CODE for key in re.findall(r'slash_command\("([a-z-]+)"\)', text)}
    described = [
        call for text in CODE for call in re.findall(r"@described_options\((.*?)\)", text, re.S)
    ]
    options = {name for call in described for name in re.findall(r"(\w+)=", call)}
    names = {f"command-{key}" for key in commands} | {f"option-{name}" for name in options}
    return names | {f"command-{key}-about" for key in commands}


def _skipped() -> set[str]:
    """Why a file is not read."""
    named = {reason for text in CODE for reason in re.findall(r'Skipped\("([a-z-]+)"', text)}
    return named | set(_REASONS.values()) | {"broken"}


def _notice_keys() -> set[str]:
    calls = r'(?<!\w)(?:Notice|_waiting|text|words)\(\s*"([a-z_-]+)"'
    return {key for text in CODE for key in re.findall(calls, text)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_exactly_the_english_messages_and_arguments(language: str) -> None:
    translated = _arguments(language)
    assert set(translated) == set(ENGLISH)
    for key, names in translated.items():
        assert names <= ENGLISH[key], key


def test_every_message_that_is_used_exists() -> None:
    assert _used() - set(ENGLISH) == set()


def test_every_message_that_exists_is_used() -> None:
    assert set(ENGLISH) - _used() == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", sorted(ENGLISH))
def test_a_message_formats_with_its_arguments(language: str, key: str) -> None:
    text = words(language)(key, dict.fromkeys(ENGLISH[key], 3))
    assert text.strip()
    assert "{" not in text


def test_a_missing_argument_is_an_error() -> None:
    with pytest.raises(LookupError):
        words()("note-omitted")


def test_a_missing_message_is_an_error() -> None:
    with pytest.raises(LookupError):
        words()("no-such-message")


@pytest.mark.parametrize(
    ("locale", "language"),
    [("en-US", "en"), ("zh-CN", "zh-CN"), ("zh-TW", "zh-CN"), ("de", "en")],
)
def test_discord_locales_find_their_language(locale: str, language: str) -> None:
    assert words(locale) is words(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_command_names_are_ones_discord_takes(language: str) -> None:
    keys = [
        command._locale_name for command in COMMANDS if isinstance(command, app_commands.Command)
    ]
    names = [words(language)(key.extras["key"]) for key in keys if key]
    assert len(set(names)) == len(keys)
    assert all(re.fullmatch(r"[-_\w]{1,32}", name) and name == name.lower() for name in names)

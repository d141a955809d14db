"""What another version, an old message or an operator's hand brings: read, or refused in words."""

import string
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import discord
import hypothesis
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import preferences
from bot.config import BotSettings
from bot.discord.article.article_components import ArticleItem
from bot.discord.commands.history import ForgetButton
from bot.discord.commands.tools import ToolsItem
from bot.discord.settings import settings_controller as forms
from bot.discord.settings.settings_panel import SettingsItem
from bot.discord.views.answer_buttons import AllowButton, AnswerButton, StopButton
from bot.discord.views.steps_view import PageButton
from bot.notices import QuestionRefused
from bot.preferences import Preferences, with_values
from common.settings import SettingsError, load_settings
from inference.config import WorkerSettings
from jobqueue import schema
from jobqueue.article import Article, ArticleLength, ArticleOrder, Section
from jobqueue.schema import Job, Turn

ATTACHMENT = schema.Attachment(sha256="0" * 64, name="a.txt", media_type="text/plain", size=3)
ARTICLE = Article(title="T", sections=(Section(heading="H", text="x"),))
JOB = Job(
    id="1", channel="2", user="3", user_name="Ada", server="4", prompt="why", reader="bot-0",
    attachments=(ATTACHMENT,), sampling=schema.Sampling(temperature=0.5), tools=("python",),
    order=ArticleOrder(length=ArticleLength.SHORT), parent="9",
)  # fmt: skip
EVENTS = (
    schema.Started(attempt=1, worker="w", model="m"),
    schema.Delta(text="hello"),
    schema.ToolCallDelta(step=1, tool="python", text="print(4)"),
    schema.ToolResult(step=1, status=schema.CallStatus.OK, text="4", figures=(ATTACHMENT,)),
    schema.Finished(text="4", check=schema.Check.VERIFIED, article=ARTICLE),
    schema.Failed(code=schema.FailureCode.DEADLINE),
)
READ: dict[str, tuple[msgspec.Struct, Callable[[bytes], Any]]] = {
    "job": (JOB, schema.decode_job),
    **{type(event).__name__: (event, schema.decode_event) for event in EVENTS},
    "turn": (
        Turn(job="1", user="3", user_name="Ada", prompt="why", answer="so", parent=None),
        schema.decode_turn,
    ),
    "summary": (schema.Summary(turn="1", text="t", turns=1, tokens=9), schema.decode_summary),
}

JSON: st.SearchStrategy[Any] = st.sampled_from(
    (None, True, -1, 0, 2**70, 0.5, "", "x", "{", "1", [], [1], {}, {"a": []})
)
# Many readers of little: a fifth of the tries each.
fewer = hypothesis.settings(max_examples=max(10, hypothesis.settings().max_examples // 5))


@pytest.mark.parametrize("what", READ)
@fewer
@given(data=st.data())
def test_a_newer_version_may_say_more(what: str, data: st.DataObject) -> None:
    value, decode = READ[what]
    plain = msgspec.to_builtins(value)
    more = data.draw(st.dictionaries(st.sampled_from(("later", "z", "type_")), JSON))
    assert decode(schema.encode({**more, **plain})) == value


@pytest.mark.parametrize("what", READ)
@fewer
@given(data=st.data())
def test_what_is_damaged_is_refused_in_words(what: str, data: st.DataObject) -> None:
    value, decode = READ[what]
    plain = msgspec.to_builtins(value)
    names = st.sampled_from(sorted(plain))
    for name in data.draw(st.lists(names, max_size=2)):
        plain.pop(name, None)
    plain |= data.draw(st.dictionaries(names, JSON, max_size=2))
    raw = schema.encode(plain)
    raw = raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        read = decode(raw)
        assert decode(schema.encode(read)) == read


# --- ids of buttons -------------------------------------------------------------------------------

CONTROLS = (
    AllowButton, AnswerButton, ArticleItem, ForgetButton, PageButton, SettingsItem, StopButton,
    ToolsItem,
)  # fmt: skip
WORDS = ("allow", "answer", "article", "forget", "work", "settings", "stop", "tools", "server",
         "ask", "again", "edit", "roles", "-1", "0", "1", "77", "٣", "²", "9" * 60, "\n", "",
         ":")  # fmt: skip
IDS = st.lists(st.sampled_from(WORDS) | st.text(max_size=3), min_size=1, max_size=6).map(":".join)


@given(custom_id=IDS.map(lambda text: text[:100]))
def test_ids_of_buttons_that_old_messages_carry(custom_id: str) -> None:
    button: discord.ui.Button[Any] = discord.ui.Button(custom_id=custom_id, label="x")
    for control in CONTROLS:
        if match := control.__discord_ui_compiled_template__.fullmatch(custom_id):
            built = _built(control, button, match)
            assert built.custom_id == custom_id or control in (PageButton, AllowButton)
            for name in ("place", "field", "values", "do", "job", "section", "slot"):
                assert getattr(built, name, "") is not None


def _built(control: Any, button: Any, match: Any) -> Any:
    making = control.from_custom_id(None, button, match)
    with pytest.raises(StopIteration) as made:  # it waits for nothing
        making.send(None)
    return made.value.value


# --- what is typed into forms, and kept --------------------------------------------------------

NUMBERS = st.sampled_from(
    ("", "0", "-1", "1e999", "nan", "inf", "-inf", "1_0", "٣", "0,5", "1e300", "9" * 5000, "²")
) | st.text(string.digits + ".,-+eE ", max_size=8)


@pytest.mark.parametrize("name", ["temperature", "top_p", "max_tokens", "per_minute"])
@fewer
@given(typed=NUMBERS)
def test_numbers_that_admins_type(name: str, typed: str) -> None:
    with suppress(QuestionRefused, msgspec.ValidationError):
        new = with_values(Preferences(), **forms._parse_numbers({name: typed.strip()}, forms.WRONG))
        kept = msgspec.json.encode(new)
        assert msgspec.json.decode(kept, type=Preferences) == new
        noted = preferences.diff_preferences("1", "server", {}, msgspec.to_builtins(new))
        assert (noted is None) == (new == Preferences())


# --- the environment ------------------------------------------------------------------------------

VALUES = st.sampled_from(
    ("", "0", "-1", "yes", "true", "1e9", "9" * 5000, "redis://", "unix://", "0-3/16", "3-0/16",
     "0-99999999/999999999", "/5", "²/3", "٣/٤", "\udcff", "a\nb", "https://x")
) | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)  # fmt: skip


@pytest.mark.parametrize("settings", [BotSettings, WorkerSettings], ids=["bot", "inference"])
@fewer
@given(data=st.data())
def test_whatever_stands_in_the_environment(
    settings: type[msgspec.Struct], data: st.DataObject
) -> None:
    names = [field.encode_name.upper() for field in msgspec.structs.fields(settings)]
    variables = st.sampled_from([*names, *(f"{name}_FILE" for name in names)])
    environ = {"DISCORD_TOKEN": "t", **data.draw(st.dictionaries(variables, VALUES, max_size=3))}
    told = " ".join(environ)
    try:
        load_settings(settings, environ)
    except SettingsError as error:
        told = str(error)
    assert any(name in told for name in environ)
    assert "\n" not in told

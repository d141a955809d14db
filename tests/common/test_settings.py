from pathlib import Path

import msgspec
import pytest

from common.settings import SettingsError, load_or_exit, load_settings


class Settings(msgspec.Struct, frozen=True):
    redis_url: str
    slots: int = 4
    verbose: bool = False
    reader: str = msgspec.field(name="commonroom_reader", default="bot-0")


def test_fields_are_variables_in_capitals() -> None:
    environ = {"REDIS_URL": "redis://x", "SLOTS": "8", "VERBOSE": "true", "COMMONROOM_READER": "b"}
    assert load_settings(Settings, environ) == Settings("redis://x", 8, True, "b")


def test_an_empty_variable_is_unset() -> None:
    assert load_settings(Settings, {"REDIS_URL": "redis://x", "SLOTS": ""}).slots == 4


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "REDIS_URL is not set"),
        ({"REDIS_URL": "x", "SLOTS": "many"}, "SLOTS: expected `int`, got `str`"),
        ({"REDIS_URL": "x", "VERBOSE": "perhaps"}, "VERBOSE: expected `bool`, got `str`"),
    ],
)
def test_a_wrong_value_is_one_sentence(environ: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(Settings, environ)
    assert str(error.value) == sentence


def test_a_main_exits_with_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        load_or_exit(Settings, {})
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: REDIS_URL is not set (python -m ")
    assert "init writes a file that names every setting" in error


def test_a_secret_may_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("redis://:hidden@x\n")
    assert load_settings(Settings, {"REDIS_URL_FILE": str(file)}).redis_url == "redis://:hidden@x"
    both = {"REDIS_URL": "redis://y", "REDIS_URL_FILE": str(file)}
    assert load_settings(Settings, both).redis_url == "redis://y"
    with pytest.raises(SettingsError, match="REDIS_URL_FILE cannot be read"):
        load_settings(Settings, {"REDIS_URL_FILE": str(tmp_path / "none")})

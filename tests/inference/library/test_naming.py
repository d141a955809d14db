"""A name is that of the thing only where nothing beside it makes it another's."""

import pytest

from inference.library.naming import naming


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("In Luoyang, monks built it.", "luoyang"),
        ("Luoyang's walls are old.", "luoyang"),
        ("The Longmen Grottoes are caves.", "longmen grottoes"),
        ("Chang’an lay on a plain.", "changan"),
        ("Luoyang in April is full of flowers.", "luoyang"),
        ("He moved to Florence, Italy.", "florence"),
        ("The Gardens of Suzhou", "suzhou"),
        ("luoyang", "luoyang"),
        ("他到了洛阳，", "洛阳"),
        ("龙门石窟是佛教石刻。", "龙门石窟"),
    ],
)
def test_it_is_meant(text: str, name: str) -> None:
    assert naming(text, name, around={"italy"}) is True


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Florence Nightingale was born in Florence.", "florence"),
        ("florence nightingale", "florence"),
        ("He moved to Florence, South Carolina.", "florence"),
        ("He lives in Vienna in Virginia.", "vienna"),
        ("It is the Florence of the North.", "florence"),
        ("Leopold Mozart wrote.", "mozart"),
        ("The Mozart effect is a claim.", "mozart"),
        ("The Treaty of Nanjing was signed.", "nanjing"),
        ("The Kaifeng–Luoyang railway is long.", "luoyang"),
        ("洛阳铲是一种工具。", "洛阳"),
        ("南京路很热闹。", "南京"),
    ],
)
def test_something_else_may_be_called_so(text: str, name: str) -> None:
    assert naming(text, name, around={"italy"}) is False


def test_it_is_not_said() -> None:
    assert naming("Luoyang Bridge is of stone.", "luoyang", longer=["luoyang bridge"]) is None
    assert naming("The Luoyang Museum is new.", "luoyang") is None  # is of it, and not it

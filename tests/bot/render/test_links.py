"""Links that do not lead where they seem to are shown as text."""

import pytest

from bot.render.links import harmless_links

ZERO_WIDTH = "\u200b"


@pytest.mark.parametrize(
    "text",
    [
        "[https://good.example](https://evil.example)",
        "[good.example](https://evil.example)",
        "[www.good](https://evil.example)",
        "[ｇｏｏｄ．example](https://evil.example)",
        "[good。example](https://evil.example)",
        "[good\u200d.example](https://evil.example)",
        "[see good.example/login](<https://evil.example>)",
    ],
)
def test_a_label_that_looks_like_an_address_is_no_link(text: str) -> None:
    assert harmless_links(text) == text.replace("](", f"]{ZERO_WIDTH}(")


@pytest.mark.parametrize(
    "text",
    ["discord.gg/abc", "https://discord.gg/abc", "discord.com/invite/a", "DISCORDAPP.com/invite/a"],
)
def test_an_invitation_is_no_card(text: str) -> None:
    assert harmless_links(f"join {text} now").count(ZERO_WIDTH) == 1
    assert harmless_links(f"join {text} now").replace(ZERO_WIDTH, "") == f"join {text} now"


def test_an_address_in_front_of_the_real_host_is_cut_off() -> None:
    assert harmless_links("https://good.example@evil.example/x") == (
        f"https://good.example{ZERO_WIDTH}@evil.example/x"
    )


@pytest.mark.parametrize(
    "text",
    [
        "[the docs](https://docs.example)",
        "https://docs.example/a@b",
        "mail a@b.example",
        "[1](2)",
        "```\n[good.example](https://evil.example) discord.gg/abc\n```",
        "",
    ],
)
def test_honest_links_and_code_are_left_alone(text: str) -> None:
    assert harmless_links(text) == text

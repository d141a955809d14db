"""What a person types after @ becomes a mention, as Discord's client makes it one."""

import pytest

from playground.discord.client_forms import mention_names
from playground.discord.state import State


@pytest.fixture
def state() -> State:
    return State()


@pytest.mark.parametrize("typed", ["@bot hello", "<@bot> hello", "@commonroom hello"])
def test_the_bot_has_a_name_that_never_changes(state: State, typed: str) -> None:
    assert mention_names(state, typed) == f"<@{state.bot['id']}> hello"


@pytest.mark.parametrize("typed", ["mail me@bot.com", "@nobody", "<@123>", "5 @ 3"])
def test_what_names_nobody_stays_text(state: State, typed: str) -> None:
    assert mention_names(state, typed) == typed

"""What a person types after @ becomes a mention, as Discord's client makes it one."""

import pytest

from playground.discord.interaction_payloads import insert_mentions
from playground.discord.state import ServerState


@pytest.fixture
def state() -> ServerState:
    return ServerState()


@pytest.mark.parametrize("typed", ["@bot hello", "<@bot> hello", "@commonroom hello"])
def test_the_bot_has_a_name_that_never_changes(state: ServerState, typed: str) -> None:
    assert insert_mentions(state, typed) == f"<@{state.bot['id']}> hello"


@pytest.mark.parametrize("typed", ["mail me@bot.com", "@nobody", "<@123>", "5 @ 3"])
def test_what_names_nobody_stays_text(state: ServerState, typed: str) -> None:
    assert insert_mentions(state, typed) == typed

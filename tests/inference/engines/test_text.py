from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.engines.detokenizer import MAX_HELD_TOKENS, REPLACEMENT, Detokenizer, StopStrings


def decode_bytes(ids: Sequence[int]) -> str:
    """A tokenizer whose tokens are single bytes: every character may break anywhere."""
    return bytes(ids).decode(errors="replace")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=REPLACEMENT)))
def test_characters_arrive_whole_however_they_are_spread_over_tokens(text: str) -> None:
    stream = Detokenizer(decode_bytes)
    pieces = [stream.push([byte]) for byte in text.encode()]
    assert REPLACEMENT not in "".join(pieces)
    assert "".join(pieces) + stream.flush() == text


@given(st.text(min_size=1), st.integers(1, 7))
def test_steps_of_several_tokens_give_the_same_text(text: str, step: int) -> None:
    ids = text.encode(errors="ignore")
    stream = Detokenizer(decode_bytes)
    pieces = [stream.push(ids[at : at + step]) for at in range(0, len(ids), step)]
    assert ("".join(pieces) + stream.flush()).rstrip(REPLACEMENT) == decode_bytes(ids).rstrip(
        REPLACEMENT
    )


def test_a_character_cut_off_by_the_length_limit_is_left_out() -> None:
    stream = Detokenizer(decode_bytes)
    shown = stream.push(list("海".encode() + "🌊".encode()[:3]))
    assert shown + stream.flush() == "海"


def test_endless_broken_bytes_are_shown_at_last() -> None:
    stream = Detokenizer(decode_bytes)
    pieces = [stream.push([0xFF]) for _ in range(MAX_HELD_TOKENS)]
    assert pieces[:-1] == [""] * (MAX_HELD_TOKENS - 1)
    assert pieces[-1] == REPLACEMENT * MAX_HELD_TOKENS


def test_spaces_that_a_tokenizer_writes_only_between_words_are_kept() -> None:
    words = ["", "one", "two", "three"]

    def decode(ids: Sequence[int]) -> str:
        return " ".join(words[i] for i in ids)

    stream = Detokenizer(decode)
    assert [stream.push([i]) for i in (1, 2, 3)] == ["one", " two", " three"]


def cut_at_first(text: str, stops: list[str]) -> str:
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    return text[: min(found)] if found else text


@given(
    st.lists(st.text("ab<", max_size=4)),
    st.lists(st.text("ab<", min_size=1, max_size=4), max_size=3),
)
def test_text_is_cut_before_the_first_stop_string(pieces: list[str], stops: list[str]) -> None:
    scanner = StopStrings(stops)
    shown = ""
    for piece in pieces:
        shown += scanner.push(piece)
        if scanner.hit:
            break
    shown += scanner.flush()
    expected = cut_at_first("".join(pieces), stops)
    # Two stop strings may end in the same piece; the earlier beginning wins there, and a stop
    # that is complete never waits for a longer one.
    assert shown == expected or (scanner.hit and shown.startswith(expected))
    assert scanner.hit == (expected != "".join(pieces))


@pytest.mark.parametrize("stop", ["END", "\n\n"])
def test_nothing_of_a_stop_string_is_ever_shown(stop: str) -> None:
    scanner = StopStrings([stop])
    assert "".join(map(scanner.push, f"text{stop}more")) + scanner.flush() == "text"


def test_text_that_only_began_like_a_stop_string_is_shown_in_the_end() -> None:
    scanner = StopStrings(["END"])
    assert scanner.push("the EN") == "the "
    assert scanner.flush() == "EN"

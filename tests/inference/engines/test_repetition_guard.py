"""Loops end, and what repeats on purpose does not: by a set of each."""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from inference.chat_attempt import ChatAttempt, compose
from inference.engines.base import Chunk, EngineWrapper, Message, Request, Usage
from inference.engines.repetition_guard import GuardedEngine, RepetitionDetector
from inference.engines.scripted import ScriptedEngine
from inference.terminal_chat import Memory
from jobqueue.schema import Delta, Finished, FinishReason, ReasoningDelta
from tests.jobqueue.support import make_job

INTRO = "Volleyball is a team sport. Two teams of six play it over a net. "
INTRO_ZH = "排球是一项团队运动。两队各六人，隔网相对。"
PARAGRAPH = (
    "The team practised every day after school. Their coach believed in them, and they believed "
    "in each other. On the day of the final the whole town came to watch.\n\n"
)

# What a model wrote, and what is to be left of it.
LOOPS = {
    "a word": ("I am very " + "very " * 400, "I am very"),
    "three words": (INTRO + "and so on, " * 200, None),
    "a token without spaces": (INTRO + "ha" * 900, None),
    "a sentence": (INTRO + "The players were happy. " * 60, INTRO + "The players were happy."),
    "two sentences": (INTRO + "They won. Everybody cheered for them. " * 40, None),
    "a paragraph": (INTRO + PARAGRAPH * 12, (INTRO + PARAGRAPH).strip()),
    "a list's entry": (
        "Benefits:\n" + "".join(f"{n}. Exercise improves your mood.\n" for n in range(1, 120)),
        "Benefits:\n1. Exercise improves your mood.",
    ),
    "bullets": ("Cats:\n" + "- They are soft.\n- They are loud.\n" * 60, None),
    "a section with a counter": (
        "".join(
            f"{n}. Light absorption: light becomes energy.\n\n{n + 1}. Transport: it moves on.\n\n"
            for n in range(1, 80, 2)
        ),
        None,
    ),
    "sentences in turn": (
        INTRO
        + "".join(
            ("It was a good day. ", "The sun shone on the sea. ", "Nobody wanted to go home. ")[
                (n * n + n // 3) % 3
            ]
            for n in range(150)
        ),
        None,
    ),
    "a Chinese word": ("应用包括医疗、教育" + "、娱乐" * 300, None),
    "a Chinese sentence": (
        INTRO_ZH + "春天是一个充满活力的季节。" * 60,
        INTRO_ZH + "春天是一个充满活力的季节。",
    ),
    "a Chinese paragraph": (INTRO_ZH + "队员们每天训练。教练相信他们。\n\n" * 40, None),
    "the rows of a table": (
        "| a | b |\n|---|---|\n" + "| Brazil | Rio de Janeiro |\n| Brazil | Salvador |\n" * 90,
        None,
    ),
    "a function": ("```python\n" + "def add(a, b):\n    return a + b\n\n\n" * 120, None),
    "digits": ("Pi is 3.14159" + "2653589793238462643383279" * 60, None),
    "an end mark": (INTRO + "</s>" * 900, None),
    "thinking": ("<think>\nWait, let me check that again. " + "Hmm, is it 4? It is 4. " * 60, None),
}

_GIFTS = (
    "A partridge in a pear tree",
    "Two turtle doves",
    "Three French hens",
    "Four calling birds",
    "Five gold rings",
    "Six geese a-laying",
    "Seven swans a-swimming",
    "Eight maids a-milking",
    "Nine ladies dancing",
    "Ten lords a-leaping",
    "Eleven pipers piping",
    "Twelve drummers drumming",
)
_CHORUS = (
    "Row, row, row your boat,\nGently down the stream.\n"
    "Merrily, merrily, merrily,\nLife is but a dream.\n\n"
)

# What repeats on purpose, with the question where it matters.
HARMLESS = {
    "prose": INTRO + PARAGRAPH,
    "a paragraph twice": PARAGRAPH * 2,
    "a song with a chorus": "".join(f"Verse {n}: day {n} at sea.\n{_CHORUS}" for n in range(6)),
    "a chorus three times": "Sing along.\n" + _CHORUS * 3,
    "a counting song": "".join(
        f"{n} bottles of milk on the wall, {n} bottles of milk.\n"
        f"Take one down and pass it around, {n - 1} bottles of milk on the wall.\n\n"
        for n in range(99, 0, -1)
    ),
    "a cumulative song": "".join(
        f"On day {n} of Christmas my true love gave to me\n"
        + "".join(f"{gift},\n" for gift in reversed(_GIFTS[:n]))
        + "\n"
        for n in range(1, 13)
    ),
    "a poem with a refrain": "".join(
        f"The {season} comes over the hill,\nand the {thing} is silent and still.\n"
        "Nevermore, said the bird, nevermore.\nNevermore, said the bird, nevermore.\n\n"
        for season in ("spring", "summer", "autumn", "winter")
        for thing in ("river", "forest", "meadow", "village")
    ),
    "la la la": "La la la la, la la la la, la la la la la la!\n" * 4,
    "laughter": "哈" * 60 + "，太好笑了！" + "ha" * 60,
    "a ruler": "Title\n" + "=" * 120 + "\n" + "-" * 200 + "\n" + "─" * 200,
    "dots of a table of contents": "".join(f"Chapter {n} {'.' * 60} {n * 7}\n" for n in range(40)),
    "a table": "| n | square |\n|---|---|\n" + "".join(f"| {n} | {n * n} |\n" for n in range(200)),
    "a timetable": "| time | Monday | Tuesday |\n|---|---|---|\n"
    + "".join(f"| {n}:00 | work | work |\n" for n in range(8, 24)),
    "an empty form": "| day | task | done |\n|---|---|---|\n" + "|  |  |  |\n" * 60,
    "a table of zeros": "| a | b |\n|---|---|\n" + "| 0 | 0 |\n" * 100,
    "JSON": json.dumps([{"x": 0, "y": 0} for _ in range(60)]),
    "JSON over lines": json.dumps(
        [{"id": n, "tags": [], "active": True} for n in range(60)], indent=2
    ),
    "HTML": "<table>\n" + "<tr><td></td><td></td><td></td></tr>\n" * 30 + "</table>",
    "CSV": "name,age,city\n" + "".join(f"user{n},{20 + n % 9},Berlin\n" for n in range(120)),
    "numbers": ", ".join(map(str, range(1, 501))),
    "a number a line": "".join(f"{n}\n" for n in range(1, 400)),
    "a multiplication table": "".join(f"7 × {n} = {7 * n}\n" for n in range(1, 100)),
    "a list of zeros": "```python\nboard = [" + "0, " * 256 + "]\n```",
    "zeros outside of code": "[" + "0, " * 200 + "0]",
    "a power of ten": "1" + "0" * 500,
    "a fraction": "1/7 = 0." + "142857" * 80,
    "Fibonacci modulo 2": "0, 1, 1, " * 60,
    "a hex dump": "```\n" + "".join(f"{n:04x}: {'00 ' * 16}\n" for n in range(0, 1024, 16)) + "```",
    "a chess board": ("♖ ♘ ♗ ♕ ♔ ♗ ♘ ♖\n" + "♙ " * 8 + "\n" + (". " * 8 + "\n") * 4) * 2,
    "code": "```python\n"
    + "".join(
        f"def test_{name}():\n    result = run()\n    assert result is not None\n\n\n"
        for name in [
            "read",
            "write",
            "open",
            "close",
            "seek",
            "tell",
            "flush",
            "wait",
            "stop",
            "go",
        ]
    )
    + "```",
    "switch": "```c\nswitch (n) {\n"
    + "".join(f'  case {n}:\n    puts("{n}");\n    break;\n' for n in range(80))
    + "}\n```",
    "a list": "".join(f"{n}. Name number {n} of the list\n" for n in range(1, 101)),
    "names that begin alike": "".join(f"- Saint {name}\n" for name in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "a dialogue": "".join(
        f"A: Do you like {food}?\nB: Yes, I do.\nA: Me too.\n\n"
        for food in [
            "rice",
            "soup",
            "bread",
            "fish",
            "cake",
            "tea",
            "corn",
            "figs",
            "peas",
            "plums",
        ]
    ),
    "conjugation": "".join(
        f"{who} {verb}\n"
        for verb in ("go", "see", "eat", "run", "sing", "read")
        for who in ("I", "you", "we", "they")
    ),
    "a Chinese poem": "".join(f"采采芣苢，薄言{verb}之。" for verb in "采有掇捋袺襭") * 2,
    "Chinese prose": "春天来了，花开了。小明去公园看花，遇见了小红。"
    + "他们一起放风筝，一起吃午饭。" * 3,
    "a Chinese list": "".join(f"{n}、第{n}种水果是很好吃的。\n" for n in range(1, 101)),
    "Chinese lines to copy": "好好学习，天天向上。\n" * 8,
    "a mantra": "Om mani padme hum. " * 10,
    "formulas": "".join(f"$$x_{{{n}}} = \\frac{{1}}{{{n}}}$$\n" for n in range(1, 80)),
    "chords": "C G Am F | C G Am F |\n" * 12,
    "drums": "X . . . X . . . X . . . X . . .\n" * 16,
    "a checklist": "- [ ] task\n" * 40,
    "a log": "".join(f"00:00:{n:02} INFO request ok\n" for n in range(60)),
    "SQL": "".join(f"INSERT INTO t VALUES ({n}, 'a');\n" for n in range(100)),  # noqa: S608
    "a matrix": "\\begin{pmatrix}" + " 0 & 0 & 0 \\\\ " * 20 + "\\end{pmatrix}",
    "a plan": "".join(f"Day {n}: Rest.\nDay {n + 1}: Run 5 km.\n" for n in range(1, 60, 2)),
    "a drill": "".join(f"I am {w}. You are {w}. He is {w}.\n" for w in ("sad", "cold", "old")),
    "a Chinese song": "两只老虎，两只老虎，\n跑得快，跑得快。\n真奇怪，真奇怪。\n\n" * 4,
    "DNA": "The tandem repeat is " + "CAG" * 60,
}

ASKED = {
    "Write 'I will not talk in class' 50 times.": "I will not talk in class.\n" * 50,
    "Repeat the word banana 200 times": "banana " * 200,
    "把“好好学习”写五十遍": "好好学习\n" * 50,
}


def find_loop(text: str, question: str = "", step: int = 4) -> int | None:
    """Feed the text in pieces. Return how much of it is left, or None."""
    detector = RepetitionDetector(question)
    found = (detector.add(text[at : at + step]) for at in range(0, len(text), step))
    return next((kept for kept in found if kept is not None), None)


@pytest.mark.parametrize("step", [1, 4, 300])
@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_is_seen_however_it_comes(name: str, step: int) -> None:
    text, left = LOOPS[name]
    kept = find_loop(text, step=step)
    assert kept is not None
    if left is not None:
        assert text[:kept].strip() == left


@pytest.mark.parametrize("name", LOOPS)
def test_what_is_left_is_no_loop(name: str) -> None:
    text, _ = LOOPS[name]
    kept = find_loop(text)
    assert kept is not None
    assert find_loop(text[:kept]) is None
    assert kept <= len(text) / 3


@pytest.mark.parametrize("name", HARMLESS)
def test_what_repeats_on_purpose_passes(name: str) -> None:
    assert find_loop(HARMLESS[name]) is None


@pytest.mark.parametrize("question", ASKED)
def test_what_the_question_asks_to_repeat_passes(question: str) -> None:
    assert find_loop(ASKED[question], question) is None


def test_a_list_does_not_end_with_the_counter_of_the_next_entry() -> None:
    text = "Steps\n" + "1. Mix it well and wait.\n" * 90
    kept = find_loop(text)
    assert text[:kept] == "Steps\n1. Mix it well and wait."


class _Looping(EngineWrapper):
    """An engine that never ends by itself."""

    closed = False

    def __init__(self, *pieces: Chunk) -> None:
        super().__init__(ScriptedEngine())
        self._pieces = pieces

    async def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        try:
            for _ in range(3_000):
                for piece in self._pieces:
                    yield piece
            yield Chunk("", FinishReason.LENGTH, Usage(1, 1))
        finally:
            self.closed = True


async def collect(engine: GuardedEngine) -> list[Chunk]:
    request = Request("1", "channel", (Message("user", "Tell me a story"),))
    async with aclosing(engine.generate(request)) as chunks:
        return [chunk async for chunk in chunks]


async def test_the_engine_is_stopped_and_its_repeats_are_dropped() -> None:
    looping = _Looping(Chunk("They won "), Chunk("the match. "))
    chunks = await collect(GuardedEngine(looping))
    text = ""
    for chunk in chunks:
        text = chunk.added_to(text)
    assert text.strip() == "They won the match."
    assert looping.closed
    last = chunks[-1]
    assert last.finish_reason is FinishReason.REPETITION
    assert last.usage is not None
    assert last.usage.completion_tokens == len(chunks) - 1 < 100
    assert last.usage.prompt_tokens > 0


async def test_reasoning_in_a_loop_ends_too() -> None:
    looping = _Looping(Chunk("", reasoning="Wait, let me check that again. "))
    chunks = await collect(GuardedEngine(looping))
    assert chunks[-1].finish_reason is FinishReason.REPETITION
    assert chunks[-1].dropped_characters == 0
    assert len(chunks) < 100


async def test_other_answers_pass_unchanged() -> None:
    plain = ScriptedEngine()
    request = Request("1", "channel", (Message("user", "hello !tokens 300"),))
    async with aclosing(plain.generate(request)) as chunks:
        expected = [chunk async for chunk in chunks]
    async with aclosing(GuardedEngine(plain).generate(request)) as chunks:
        assert [chunk async for chunk in chunks] == expected


async def test_text_that_was_shown_and_is_cut_is_replaced() -> None:
    engine = GuardedEngine(_Looping(Chunk("They won "), Chunk("the match. ")))
    job = make_job("j1", prompt="Tell me a story")
    answer = ChatAttempt(job, 1, await compose(job, Memory(), engine, system="Hi"), engine)
    shown = ""
    async with aclosing(answer.events()) as events:
        async for event in events:
            if isinstance(event, Delta):
                shown = event.text if event.anew else shown + event.text
            assert not isinstance(event, ReasoningDelta)
    assert isinstance(event, Finished)
    assert event.reason is FinishReason.REPETITION
    assert shown == event.text
    assert event.text.strip() == "They won the match."

"""CommonMark's code blocks as Discord understands them."""

import pytest

from bot.render.code_fences import code_block, discord_fences
from bot.render.markdown_spans import fences


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("```python\nx\n```\n", "```python\nx\n```\n"),
        ("~~~python\nx\n~~~\n", "```python\nx\n```\n"),
        ("~~~~\nx\n~~~\ny\n~~~~\n", "```\nx\n~~~\ny\n```\n"),
        ('```python title="a.py"\nx\n```\n', "```python\nx\n```\n"),
        ("```{.python .numbers}\nx\n```\n", "```.python\nx\n```\n"),
        ("````\nx\n````\n", "```\nx\n```\n"),
        ("use ```x``` here\n", "use ```x``` here\n"),
        ("```x``` at the start\n", "```x``` at the start\n"),
        ("a ~~struck~~ word\n", "a ~~struck~~ word\n"),
    ],
)
def test_fences_become_discords(written: str, shown: str) -> None:
    assert discord_fences(written, complete=True) == shown


@pytest.mark.parametrize(
    "written",
    [
        "````markdown\n# Title\n```bash\nls\n```\nmore\n````\nafter",
        "```markdown\n# Title\n```bash\nls\n```\nmore\n```\nafter",
        "~~~\nprint('```')\n~~~\nafter",
    ],
)
def test_a_block_within_a_block_does_not_end_it(written: str) -> None:
    shown = discord_fences(written, complete=True)
    opening, closing = fences(shown)
    assert shown[closing.end :] == "\nafter"
    assert opening.start == 0


@pytest.mark.parametrize("ticks", [3, 4, 5, 6, 9])
def test_ticks_within_a_block_do_not_end_it(ticks: int) -> None:
    code = f"a {'`' * ticks} b\n{'`' * ticks}\n[good.example](https://evil.example)"
    for shown in (code_block(code), discord_fences(f"~~~\n{code}\n~~~", complete=True)):
        opening, closing = fences(shown)
        assert (opening.start, closing.end) == (0, len(shown))
        assert shown.replace("\u200b", "") == f"```\n{code}\n```"


def test_a_block_that_is_left_open_is_ended() -> None:
    assert discord_fences("> ~~~py\n> x", complete=True) == "> ```py\n> x\n> ```"
    assert discord_fences("```\nx\n", complete=True) == "```\nx\n```"
    assert discord_fences("```\nx", complete=False) == "```\nx"


def test_what_may_become_a_fence_is_held_back() -> None:
    assert discord_fences("text\n``", complete=False) == "text\n"
    assert discord_fences("text\n~~~py", complete=False) == "text\n"
    assert discord_fences("text\n`code` goes", complete=False) == "text\n`code` goes"
    assert discord_fences("text\n``", complete=True) == "text\n``"

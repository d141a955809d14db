"""Tables: what a row is, how columns line up, and when a picture is drawn."""

import pytest
import regex
from wcwidth import wcswidth

from bot.render import svg_to_png
from bot.render.table_to_png import draw_table
from bot.render.tables import WIDEST_BLOCK, Align, Grid, format_as_code, format_as_list, parse_table
from tests.bot.render.looking import look

FRUIT = """\
| Name | Price | Note |
|------|-------|:----:|
| **Apple** | $1.20 | `a\\|b` |
| [Pear](https://example.org) | 12.50 | x |
"""

CHINESE = """\
| 语言 | 年份 | 说明 |
|:--|--:|---|
| Python | 1991 | 易学 |
| C语言 | 1972 | 系统编程 |
"""

WIDE = """\
| Feature | PostgreSQL | MySQL | SQLite |
|---------|------------|-------|--------|
| JSON | Excellent (`jsonb`), with indexes that answer most questions | Good since 5.7 | Extension |
| 全文检索 | 需要扩展，例如 zhparser 或 pg_jieba | 内置 ngram 分词 | 需要自定义分词器 |
| Address | https://www.example.org/a/very/long/address/that/does/not/end?x=1 | - | a<b & c>d |
"""


def grid(source: str) -> Grid:
    parsed = parse_table(source)
    assert parsed
    return parsed


def kinds(line: str) -> tuple[int, int]:
    """How many narrow and wide characters."""
    widths = [wcswidth(cluster) for cluster in regex.findall(r"\X", line)]
    return widths.count(1), widths.count(2)


def test_cells_are_plain_text() -> None:
    table = grid(FRUIT)
    assert table.header == ("Name", "Price", "Note")
    assert table.rows == (("Apple", "$1.20", "a|b"), ("Pear", "12.50", "x"))


def test_numbers_stand_right_unless_the_table_says_otherwise() -> None:
    assert grid(FRUIT).aligns == (Align.LEFT, Align.RIGHT, Align.CENTRE)
    assert format_as_code(grid(FRUIT)) == [
        "```\nName   Price  Note\n─────  ─────  ────\nApple  $1.20  a|b\nPear   12.50   x\n```"
    ]


def test_chinese_lines_up_in_any_font() -> None:
    [block] = format_as_code(grid(CHINESE)) or []
    _, head, _, *rows, _ = block.split("\n")
    # Up to where the second column ends, every row has as many characters of each kind.
    ends = [line.index(cell) + 4 for line, cell in zip(rows, ("1991", "1972"), strict=True)]
    measured = {kinds(line[:end]) for line, end in zip(rows, ends, strict=True)}
    measured.add(kinds(head[: head.index("年份") + 2]))
    assert len(measured) == 1


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| `a || b` | 2 |", ("a || b", "2")),
        ("| $|x|$ | 2 |", ("|x|", "2")),
        ("| $\\frac{1}{2}$ | $x^2$ |", ("½", "x²")),
        ("a | b", ("a", "b")),
        ("| a |", ("a", "")),
        ("| a | b | c |", ("a", "b")),
        ("| a<br>b | |", ("a\nb", "")),
        ("| from $20 to $30 | US$5 or HK$40 |", ("from $20 to $30", "US$5 or HK$40")),
        ("| $3 (was $4) | $5-$10 |", ("$3 (was $4)", "$5-$10")),
        ("| $HOME/bin:$PATH | €5 and $6 |", ("$HOME/bin:$PATH", "€5 and $6")),
        ("| **$20** to **$30** | ~~$5~~ $4 |", ("$20 to $30", "$5 $4")),
        ("| $5 for $x^2$ | $n$ at $5, $m$ at $6 |", ("$5 for x²", "n at $5, m at $6")),
        ("|$5|$6|", ("$5", "$6")),
        ("| $5 | `a|$b` |", ("$5", "a|$b")),
        (r"| $\$5 \times 2$ | \$5 to \$6 |", ("$5 × 2", "$5 to $6")),
        (r"| `$PATH` | \(x_1\) at $5 |", ("$PATH", "x₁ at $5")),
        (r"| $a*b*c$ | $5<br>$6 |", ("a ∗ b ∗ c", "$5\n$6")),
        (r"| $\{a,b\}$ | ^a$\|^b$ |", ("{a, b}", "^a$|^b$")),
        ("| snake_case_name | 2 * 3 * 4 |", ("snake_case_name", "2 * 3 * 4")),
    ],
)
def test_rows_as_models_write_them(row: str, cells: tuple[str, ...]) -> None:
    assert grid(f"| x | y |\n|---|---|\n{row}\n").rows == (cells,)


@pytest.mark.parametrize("source", ["| a | b |\n|---|\n", "| a |\n|---|---|\n| b | c |\n"])
def test_lines_with_pipes_are_not_always_a_table(source: str) -> None:
    assert parse_table(source) is None


def test_a_long_table_repeats_its_header_in_every_block() -> None:
    rows = "".join(f"| row {number} | {number * number} |\n" for number in range(400))
    blocks = format_as_code(grid("| name | value |\n|---|---|\n" + rows))
    assert blocks
    assert len(blocks) > 2
    for block in blocks:
        assert len(block) <= 2000
        assert block.startswith("```\nname      value\n")
    assert sum(block.count("row ") for block in blocks) == 400


def test_a_wide_table_is_no_block() -> None:
    assert format_as_code(grid(WIDE)) is None
    line = "x" * (WIDEST_BLOCK - 3)
    assert format_as_code(grid(f"| a | b |\n|---|---|\n| {line} | y |\n"))
    assert not format_as_code(grid(f"| a | b |\n|---|---|\n| {line}x | y |\n"))


def test_a_table_can_be_read_as_a_list() -> None:
    assert format_as_list(grid(FRUIT)).split("\n")[0] == "- **Apple** — Price: $1.20 · Note: a|b"


@pytest.mark.skipif(not svg_to_png.has_glyph("字"), reason="no Chinese font on this machine")
def test_a_wide_table_is_drawn() -> None:
    picture = draw_table(grid(WIDE), "t.png")
    assert picture
    assert picture.source == WIDE
    seen = look(picture.png)
    assert 500 < seen.width < 1000
    assert 150 < seen.height < 800
    for quarter in range(4):  # no column is empty
        assert seen.ink(seen.width * quarter // 4, seen.width * (quarter + 1) // 4) > 100


@pytest.mark.skipif(not svg_to_png.has_glyph("a"), reason="no font on this machine")
def test_a_cell_stays_within_its_column() -> None:
    cell = "WWWWWWWWWW MMMMMMMMMM illinois @@@@@@@@@@ " * 2
    picture = draw_table(grid(f"| a | b |\n|---|---|\n| {cell} | |\n"), "t.png")
    assert picture
    seen = look(picture.png)
    assert seen.ink(seen.width - 12) == 0


def test_a_table_too_large_to_read_is_not_drawn() -> None:
    rows = ("| " + " | ".join(["word word"] * 12) + " |\n") * 100
    source = "|" + " a |" * 12 + "\n|" + "---|" * 12 + "\n" + rows
    assert draw_table(grid(source), "t.png") is None

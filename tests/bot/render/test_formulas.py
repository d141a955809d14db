"""What is mathematics in an answer, and what is money, code or a variable."""

import pytest
from hypothesis import given

from bot.render.formulas import Formula, extract
from tests.bot.render.writing import texts


def found(text: str) -> list[tuple[str, bool]]:
    return [(s.latex, s.display) for s in extract(text) if isinstance(s, Formula)]


@pytest.mark.parametrize(
    ("text", "latex", "display"),
    [
        ("so $x^2$ is", "x^2", False),
        (r"so \(x^2\) is", "x^2", False),
        ("so\n$$\nx^2\n$$\nis", "x^2", True),
        (r"so \[ x^2 \] is" + "\n", "x^2", False),  # amid the words of a line
        ("so:\n\\[\nx^2\n\\]", "x^2", True),
        ("其中$x$是未知数", "x", False),
        ("**$x$**", "x", False),
        ("where $$x$$ is", "x", False),
        ("\\[ a \\\\[2pt] b \\]", "a \\\\[2pt] b", True),
        (r"Total: $\$120 \times 0.85 = \$102$.", r"\$120 \times 0.85 = \$102", False),
        (r"so $p=25.6\$$ it is", r"p=25.6\$", False),
        (r"总价$\$5n$。", r"\$5n", False),
        (r"$$x=25\$$$", r"x=25\$", True),
        (r"$$\text{Cost: }\$5$$", r"\text{Cost: }\$5", True),
        (r"so \(\$5 + \$3 = \$8\)", r"\$5 + \$3 = \$8", False),
        ("$$ a \\\\$$", "a \\\\", True),
    ],
)
def test_every_way_to_write_mathematics(text: str, latex: str, display: bool) -> None:
    assert found(text) == [(latex, display)]


def test_an_environment_needs_no_delimiters() -> None:
    [(latex, display)] = found("Thus\n\\begin{align}\na &= b\n\\end{align}\n")
    assert latex.startswith(r"\begin{align}")
    assert display


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $6.",
        "between $5-$10",
        "US$5 and $6, A$7",
        "$5, or $6",
        r"\$5 and \$6",
        "$HOME and $PATH",
        "$HOME/$USER",
        "`$x$`",
        "``$`x`$``",
        "```\n$x$\n```",
        "```\n\\[x\\]",
        "价格是$5，还有$6",
        "pay $5 to someone with 3$",
        "$ x$ and $x $",
        "$$ $$",
        "$a\n\nb$",
        "**$20** to **$30**",
        "**$20** or **5$**",
        "*$20* or *30$*",
        "from $20 to 30$",
        "for $5 ~~$6~~ and $5 ||$6||",
        "$1,000.50/month, $10M–$20M",
        "$HOME/bin:$PATH, then $HOME:$",
        "^a$|^b$ and ^\\d+$",
        "R$ 5,00 e R$ 6,00",
        '"$20" or "30$"',
        r"$5 and \$6",
        "> $5\n> \n> and 6$",
    ],
)
def test_money_code_and_variables_are_no_mathematics(text: str) -> None:
    assert found(text) == []


def test_a_price_does_not_hide_the_formula_behind_it() -> None:
    assert found("For $5 we get $x^2$ and $y$.") == [("x^2", False), ("y", False)]
    assert found("价格是$5，而$x$是") == [("x", False)]


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("> so\n> $$\n> x = \\frac{1}{2}\n> $$\n> done", "x = \\frac{1}{2}"),
        ("> \\[\n> a = b\n> \\]", "a = b"),
        (
            "> $$\n> \\begin{cases}\n> x=1 \\\\\n> y>2\n> \\end{cases}\n> $$",
            "\\begin{cases}\nx=1 \\\\\ny>2\n\\end{cases}",
        ),
        (
            "> \\begin{align}\n> a &= 1 \\\\\n> b &> 2\n> \\end{align}",
            "\\begin{align}\na &= 1 \\\\\nb &> 2\n\\end{align}",
        ),
        ("> we know \\(x =\n> 5\\) ok", "x =\n5"),
        ("> we know $x =\n> 5$ ok", "x =\n5"),
        (">$$\n>x\n>$$", "x"),
        ("> > $$\n> > a\n> > > b\n> > $$", "a\n> b"),
        ("- point\n  > $$\n  > a\n  > + b\n  > $$", "a\n+ b"),
        ("> 1. $$\n>    a\n>    + b\n>    $$", "a\n   + b"),
        ("> lazy\n> $$\na\n$$", "a"),
        (">>> $$\na\n> b\n$$", "a\n> b"),
        ("$$\na\n> b\n$$", "a\n> b"),
        ("> $$a > b$$", "a > b"),
    ],
)
def test_the_marks_of_a_quotation_are_no_relations(text: str, latex: str) -> None:
    assert [formula for formula, _ in found(text)] == [latex]


@given(texts)
def test_the_sources_joined_are_the_text(text: str) -> None:
    assert "".join(s if isinstance(s, str) else s.source for s in extract(text)) == text

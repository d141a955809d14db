"""Formulas as pictures: real ones are drawn, others are refused, nothing raises."""

import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.render import svg_to_png
from bot.render.latex_to_png import EM, typeset
from bot.render.svg_to_png import MAX_AREA, MAX_SIDE
from tests.bot.render.looking import look

# One of each construct that models use.
FORMULAS = [
    r"x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}",
    r"\int_{-\infty}^{\infty} e^{-x^2}\,dx = \sqrt{\pi}",
    r"\begin{aligned} (a+b)^2 &= a^2 + 2ab + b^2 \\ (a-b)^2 &= a^2 - 2ab + b^2 \end{aligned}",
    r"\begin{align*} 2x + 3 &= 7 \\[2pt] 2x &= 4 \end{align*}",
    r"A = \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}, \quad \det A = -2",
    r"f(x) = \begin{cases} x^2 & \text{if } x \ge 0 \\ -x & \text{otherwise} \end{cases}",
    r"\sum_{n=1}^{\infty} \frac{1}{n^2} = \frac{\pi^2}{6}",
    r"\lim_{x \to 0} \frac{\sin x}{x} = 1",
    r"\nabla \times \mathbf{E} = -\frac{\partial \mathbf{B}}{\partial t}",
    r"\boxed{x = \dfrac{3}{4}}",
    r"\mathbb{E}[X] = \sum_i p_i x_i, \quad \mathcal{L}(\theta) = -\log p_\theta(x \mid z)",
    r"\left\{ x \in \mathbb{R} \;\middle|\; x^2 < 2 \right\}",
    r"\binom{n}{k} = \frac{n!}{k!(n-k)!}",
    r"\underbrace{1+1+\cdots+1}_{n \text{ times}} = n",
    r"\hat{\beta} = (X^\top X)^{-1} X^\top y",
    r"\overline{AB} \parallel \overrightarrow{CD}, \angle ABC = 90^\circ",
    r"\operatorname{softmax}(z)_i = \frac{e^{z_i}}{\sum_{j=1}^{K} e^{z_j}} \tag{1}",
    r"\oint_C \vec{F}\cdot d\vec{r} = \iint_S (\nabla\times\vec{F})\cdot d\vec{S}",
    r"x \xrightarrow{f} y \implies z \iff w",
    r"\textcolor{blue}{y} = 7\,\mathrm{m/s}",
    r"\ce{2H2 + O2 -> 2H2O}",
]


@pytest.mark.parametrize("latex", FORMULAS)
def test_a_formula_becomes_a_picture(latex: str) -> None:
    picture = typeset(latex, "f.png")
    assert picture
    assert picture.alt == latex
    seen = look(picture.png)
    assert EM < seen.height < 12 * EM
    assert EM < seen.width <= MAX_SIDE
    assert seen.ink() > 150


def test_a_picture_reads_on_any_background() -> None:
    picture = typeset("x = 1", "f.png")
    assert picture
    seen = look(picture.png)
    assert seen.at(0, 0)[3] == 0  # the corner is round
    red, green, blue, opacity = seen.at(seen.width // 2, 3)
    assert opacity == 255
    assert max(red, green, blue) < 70


def test_dark_colours_are_lightened() -> None:
    picture = typeset(r"\color{blue}{MMMM}", "f.png")
    assert picture
    assert look(picture.png).ink() > 200


@pytest.mark.skipif(not svg_to_png.has_glyph("字"), reason="no Chinese font on this machine")
def test_chinese_in_a_formula_is_drawn_from_the_machines_fonts() -> None:
    bare = typeset(r"\frac{\text{路程}}{\text{时间}}", "f.png")
    assert bare
    assert look(bare.png).ink() > 600
    mixed = typeset(r"速度 = \frac{s}{t}", "f.png")
    assert mixed
    seen = look(mixed.png)
    assert seen.ink(0, seen.width // 2) > 300


ROWS = r"\begin{{{0}}}{1}\end{{{0}}}"
TALL = [r"\frac{1}{2}", r"\int_0^1 f", r"\sqrt{\frac{a}{b}}", r"\sum_{i=1}^n x_i"]
TALLER = [
    r"\dfrac{a}{b}",
    r"\displaystyle\int_0^1 f",
    r"\frac{\frac{1}{2}}{3}",
    r"\left(\frac{a}{b}\right)^2",
    r"\underbrace{x}_{n}",
    r"\begin{pmatrix} \frac{1}{2} \\ \frac{3}{4} \end{pmatrix}",
    r"\begin{cases} \frac{1}{2} & x \\ \sqrt{\frac{3}{4}} & y \end{cases}",
]


def bands(latex: str) -> list[tuple[int, int]]:
    picture = typeset(latex, "f.png")
    assert picture
    return look(picture.png).bands()


@pytest.mark.parametrize(
    ("environment", "cell"),
    [
        *product(["matrix", "aligned", "smallmatrix"], TALL + TALLER),
        *product(["gathered", "align*", "gather*", "split", "array"], TALL[:2]),
    ],
)
def test_tall_rows_lie_apart(environment: str, cell: str) -> None:
    argument = "{c}" if environment == "array" else ""
    single = bands(ROWS.format(environment, argument + cell))
    above, below = single[0][0], single[-1][1]
    stacked = bands(ROWS.format(environment, argument + r" \\ ".join([cell] * 3)))
    assert len(stacked) == 3 * len(single)
    for number in range(2):
        gap = stacked[(number + 1) * len(single)][0] - stacked[(number + 1) * len(single) - 1][1]
        assert gap >= EM * (0.15 if environment == "smallmatrix" else 0.25)
    assert stacked[-1][1] - stacked[0][0] > 3 * (below - above)


@pytest.mark.skipif(not svg_to_png.has_glyph("字"), reason="no Chinese font on this machine")
def test_tall_rows_of_chinese_lie_apart() -> None:
    cell = r"\frac{\text{路程}}{\text{时间}}"
    rows = ROWS.format("matrix", rf"{cell} \\ {cell}")
    upper, lower = bands(rows)[:3], bands(rows)[3:]
    assert len(upper) == len(lower)
    assert lower[0][0] - upper[-1][1] >= 0.15 * EM


@pytest.mark.parametrize("environment", ["pmatrix", "bmatrix", "cases", "vmatrix", "dcases"])
def test_brackets_reach_around_tall_rows(environment: str) -> None:
    rows = r"\frac{1}{2} & x \\ \int_0^1 f & y \\ \sqrt{\frac{a}{b}} & z"
    [(top, bottom)] = bands(ROWS.format(environment, rows))
    inner = bands(ROWS.format("matrix", rows))
    assert bottom - top >= 0.9 * (inner[-1][1] - inner[0][0])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("[x,p] &= 1", "[J_x,J_y] &= 2"),
        ("(0,1) & a", "[1,2] & b"),
        ("a", "[b]"),
        ("a", "[2]"),
        ("[1,t] & a", "[1 cm, 2 cm] & b"),
    ],
)
@pytest.mark.parametrize("row_end", [r"\\ ", "\\\\\n", r"\\[2pt] ", r"\\*[3mm]"])
@pytest.mark.parametrize(
    "environment",
    ["align*", "aligned", "gathered", "split", "cases", "pmatrix", "array", "smallmatrix"],
)
def test_only_a_length_is_an_option_of_a_row(
    environment: str, first: str, second: str, row_end: str
) -> None:
    argument = "{rl}" if environment == "array" else ""
    rows = rf"{first} \\ {second}".replace("[", "{}[")
    meant = typeset(ROWS.format(environment, f"{argument} {rows}"), "f.png")
    picture = typeset(ROWS.format(environment, argument + first + row_end + second), "f.png")
    assert picture
    assert meant
    assert picture.png == meant.png


@pytest.mark.parametrize(
    ("latex", "meant"),
    [
        (r"\begin{aligned}[t] a \\ b \end{aligned}", r"\begin{aligned} a \\ b \end{aligned}"),
        (
            r"\begin{array}[c]{cc} a & b \\[1ex] c & d \end{array}",
            r"\begin{array}{cc} a & b \\ c & d \end{array}",
        ),
        (r"\sum_{\substack{i \\ [j]}} x", r"\sum_{\substack{i \\ {}[j]}} x"),
        (r"a \\ [b]", r"a \\ {}[b]"),
        (r"\begin{cases}a\\[-.5\baselineskip]b\end{cases}", r"\begin{cases}a\\ b\end{cases}"),
        (r"\begin{cases}a\\[1ex plus 2pt]b\end{cases}", r"\begin{cases}a\\ b\end{cases}"),
        (
            "\\begin{aligned}\nx\\\\\ne^x\\\\\nu\n\\end{aligned}",
            r"\begin{aligned}x\\ {e^x}\\ u\end{aligned}",
        ),
        ("x\\\\\\\\\nu", r"x\\ \\ u"),
        (r"\begin{matrix}a\\b\end{matrix}", r"\begin{matrix} a \\ b \end{matrix}"),
    ],
)
def test_other_ways_to_write_rows(latex: str, meant: str) -> None:
    picture, expected = typeset(latex, "f.png"), typeset(meant, "f.png")
    assert picture
    assert expected
    assert picture.png == expected.png


@pytest.mark.parametrize(
    "latex",
    [
        r"\begin{align} x &= \frac12 \tag{1} \\ \intertext{so} y &= \frac34 \notag \end{align}",
        r"\begin{array}{r} 12 \\ +34 \\ \hline \frac{46}{1} \end{array}",
        r"\begin{array}{cc} \multicolumn{2}{c}{\frac12} \\ \cline{1-2} a & b \end{array}",
        r"\begin{aligned} x &= \left(\frac12 \right. \\ &\left. + \frac34\right) \end{aligned}",
        r"\begin{tikzcd} A \arrow[r] & \frac12 \\ C \end{tikzcd}",
        r"\cases{\frac12 & a \cr b & c}",
    ],
)
def test_what_belongs_to_rows_is_still_drawn(latex: str) -> None:
    assert typeset(latex, "f.png")


@pytest.mark.parametrize(
    "latex",
    [
        "",
        r"\undefined{x}",
        r"\frac{1}{",
        "x^",
        r"\includegraphics{/etc/passwd}",
        r"\input{/etc/passwd}",
        r"\begin{tikzpicture}\draw (0,0);\end{tikzpicture}",
        r"\def\x{\x\x}\x",
        r"\rule{100000pt}{100000pt}",
        r"a\hspace{1000000em}b",
        "{" * 1000,
        "x" * 2000,
        "x" * 5000,
        "😀",
        r"\begin{array}{c|c} 1 & 2 \\ \hline 3 & 4 \end{array}",  # drawn wrong by mathra 1.5
    ],
)
def test_what_cannot_be_drawn_as_meant_is_refused(latex: str) -> None:
    assert typeset(latex, "f.png") is None


def test_a_formula_takes_milliseconds() -> None:
    started = time.perf_counter()
    for latex in FORMULAS:
        typeset(latex, "f.png")
    assert (time.perf_counter() - started) / len(FORMULAS) < 0.2


_PARTS = ["\\frac", "\\sqrt", "\\begin{matrix}", "\\end{matrix}", "\\left(", "\\right)", "^", "_"]


@settings(deadline=None)
@given(st.lists(st.sampled_from([*_PARTS, "{", "}", "&", "\\\\", "x", "1 ", "字"])).map("".join))
def test_nothing_raises_and_nothing_is_huge(latex: str) -> None:
    picture = typeset(latex, "f.png")
    if picture:
        width = int.from_bytes(picture.png[16:20])
        height = int.from_bytes(picture.png[20:24])
        assert width * height <= MAX_AREA

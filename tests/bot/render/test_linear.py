"""Mathematics in a line of Unicode: exact, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.latex_to_unicode import to_unicode


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"x^2", "x²"),
        (r"2^{n+1}", "2ⁿ⁺¹"),
        (r"\sqrt2", "√2"),
        (r"\sqrt{2}x", "√2 x"),
        (r"\sqrt[3]{8} = 2", "∛8 = 2"),
        (r"\alpha \le \beta", "α ≤ β"),
        (r"\frac12", "½"),
        (r"x_{\text{max}}", "xₘₐₓ"),
        (r"a_1, a_2, \ldots, a_n", "a₁, a₂, …, aₙ"),
        (r"x=-3", "x = −3"),
        (r"f(x,y)=x+y", "f(x, y) = x + y"),
        (r"O(n \log n)", "O(n log n)"),
        (r"\sin^2\theta+\cos^2\theta=1", "sin² θ + cos² θ = 1"),
        (r"x \in \{1,2,3\}", "x ∈ {1, 2, 3}"),
        (r"1{,}000", "1,000"),
        (r"1,000,000", "1,000,000"),
        (r"a \equiv b \pmod{n}", "a ≡ b (mod n)"),
        (r"\mathbb{R}^n", "ℝⁿ"),
        (r"\vec{v}", "v\u20d7"),
        (r"\|v\|", "‖v‖"),
        (r"90^\circ", "90°"),
        (r"A^\top", "Aᵀ"),
        (r"\sum_{i=1}^{n} i", "∑ᵢ₌₁ⁿ i"),
        (r"\mathrm{CO_2}", "CO₂"),
        (r"\text{速度}=5\text{ m/s}", "速度 = 5 m/s"),
        (r"\theta_{t+1} = \theta_t - \eta \nabla L(\theta_t)", "θₜ₊₁ = θₜ − η∇L(θₜ)"),
        (r"50\%", "50%"),
        (r"\$120 \times 0.85 = \$102", "$120 × 0.85 = $102"),
        (r"\text{Cost in \$: }5\text{ \& more}", "Cost in $: 5 & more"),
        (r"\pounds 5 + \euro 6", "£5 + €6"),
    ],
)
def test_what_reads_as_it_looks_is_flat(latex: str, text: str) -> None:
    line = to_unicode(latex)
    assert line
    assert (line.text, line.flat) == (text, True)


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\frac{a+b}{c}", "(a + b)/c"),
        (r"\frac{a}{2b}", "a/(2b)"),
        (r"2\frac{a}{b}", "2(a/b)"),
        (r"\frac{x}{y}^2", "(x/y)²"),
        (r"\frac{dy}{dx}", "dy/dx"),
        (r"\sqrt{x+1}", "√(x + 1)"),
        (r"x_b", "x_b"),
        (r"x^{x^x}", "x^(xˣ)"),
        (r"\lim_{x \to 0} f(x)", "lim_(x→0) f(x)"),
        (r"x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}", "x = (−b ± √(b² − 4ac))/(2a)"),
    ],
)
def test_what_is_laid_on_its_side_keeps_its_meaning(latex: str, text: str) -> None:
    line = to_unicode(latex)
    assert line
    assert (line.text, line.flat) == (text, False)


@pytest.mark.parametrize(
    "latex",
    [
        r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
        r"\binom{n}{k}",
        r"\underbrace{1+1}_{2}",
        r"\left. x \right|_0",
        r"\overline{AB}",
        r"\mathbf{\alpha}",
        r"\unknown{x}",
        r"\frac{1",
        "x^",
        "^2",
        "}",
        "a & b",
        "",
        "x" * 500,
    ],
)
def test_what_has_no_exact_line_is_left(latex: str) -> None:
    assert to_unicode(latex) is None


_PARTS = [*r"\{}^_ab1+=(),&$ ", r"\frac", r"\sqrt", r"\text", r"\left", r"\mathbf"]


@given(st.lists(st.sampled_from(_PARTS)).map("".join))
def test_nothing_raises(latex: str) -> None:
    line = to_unicode(latex)
    assert line is None or line.text

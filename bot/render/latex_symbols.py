"""LaTeX's commands in Unicode, by the kind of atom that they make (TeXbook, chapter 17)."""


def _parse_pairs(text: str) -> dict[str, str]:
    words = _parse_words(text)
    return dict(zip(words[::2], words[1::2], strict=True))


def _parse_words(text: str) -> list[str]:
    return text.split()


ORDINARY = _parse_pairs(
    r"""
    alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι
    kappa κ lambda λ mu μ nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ
    upsilon υ phi ϕ varphi φ chi χ psi ψ omega ω
    Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
    infty ∞ partial ∂ nabla ∇ hbar ℏ ell ℓ Re ℜ Im ℑ aleph ℵ emptyset ∅ varnothing ∅ imath ı jmath ȷ
    forall ∀ exists ∃ nexists ∄ neg ¬ lnot ¬ top ⊤ bot ⊥ angle ∠ triangle △ square □ degree °
    ldots … dots … cdots ⋯ dotsc … dotsb ⋯ vdots ⋮ ddots ⋱ prime ′ backslash ∖
    circ ∘ bullet • star ⋆ dagger † checkmark ✓ blacksquare ■ qedsymbol ∎
    % % $ $ # # & & textdollar $ pounds £ euro € yen ¥ cent ¢
    """
)

RELATIONS = _parse_pairs(
    r"""
    le ≤ leq ≤ leqslant ⩽ ge ≥ geq ≥ geqslant ⩾ ne ≠ neq ≠ lt < gt > ll ≪ gg ≫
    approx ≈ equiv ≡ sim ∼ simeq ≃ cong ≅ propto ∝ doteq ≐ coloneqq ≔ prec ≺ succ ≻
    in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ subsetneq ⊊
    to → rightarrow → gets ← leftarrow ← leftrightarrow ↔ mapsto ↦ longrightarrow ⟶ longmapsto ⟼
    Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ implies ⟹ impliedby ⟸ iff ⟺ Longrightarrow ⟹
    uparrow ↑ downarrow ↓ nearrow ↗ searrow ↘ rightharpoonup ⇀ rightleftharpoons ⇌
    mid ∣ nmid ∤ parallel ∥ perp ⊥ vdash ⊢ models ⊨ therefore ∴ because ∵ colon :
    """
)

BINARIES = _parse_pairs(
    r"""
    pm ± mp ∓ times × div ÷ cdot · ast ∗ cup ∪ cap ∩ setminus ∖ wedge ∧ vee ∨ land ∧ lor ∨
    oplus ⊕ otimes ⊗ odot ⊙ ominus ⊖ sqcup ⊔ bmod mod
    """
)

BIG_OPERATORS = _parse_pairs(
    r"""
    sum ∑ prod ∏ coprod ∐ int ∫ iint ∬ iiint ∭ oint ∮ bigcup ⋃ bigcap ⋂ bigoplus ⨁ bigotimes ⨂
    """
)

FUNCTIONS = frozenset(
    _parse_words(r"""
    sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp lim limsup liminf max
    min sup inf arg det dim gcd lcm ker deg hom Pr argmax argmin
    """)
)

OPENINGS = _parse_pairs("( ( [ [ lbrace { { { langle ⟨ lfloor ⌊ lceil ⌈ lbrack [")
CLOSINGS = _parse_pairs(") ) ] ] rbrace } } } rangle ⟩ rfloor ⌋ rceil ⌉ rbrack ]")
FENCES = _parse_pairs("| ‖ vert | lvert | rvert | Vert ‖ lVert ‖ rVert ‖")

SPACES = {
    ",": "\u2009",
    ":": "\u2009",
    ";": " ",
    " ": " ",
    "quad": "\u2003",
    "qquad": "\u2003\u2003",
    "!": "",
}

# Commands that change the look and not the meaning.
IGNORED = frozenset(
    _parse_words(r"""
    displaystyle textstyle scriptstyle limits nolimits big Big bigg Bigg bigl bigr Bigl Bigr biggl
    biggr Biggl Biggr bigm left right
    """)
)

SUPERSCRIPTS = dict(
    zip(
        "0123456789+−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWβγδθφχ∘′⊤∗",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵡ°′ᵀ*",
        strict=True,
    )
)
SUBSCRIPTS = dict(
    zip(
        "0123456789+−=()aehijklmnoprstuvxβγρφχ",
        "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ",
        strict=True,
    )
)

VULGAR_FRACTIONS = {
    "1/2": "½",
    "1/3": "⅓",
    "2/3": "⅔",
    "1/4": "¼",
    "3/4": "¾",
    "1/5": "⅕",
    "2/5": "⅖",
    "3/5": "⅗",
    "4/5": "⅘",
    "1/6": "⅙",
    "5/6": "⅚",
    "1/8": "⅛",
    "3/8": "⅜",
    "5/8": "⅝",
    "7/8": "⅞",
}

ROOTS = {"2": "√", "3": "∛", "4": "∜"}

ACCENTS = {
    "hat": "\u0302",
    "bar": "\u0304",
    "overline": "\u0305",
    "tilde": "\u0303",
    "dot": "\u0307",
    "ddot": "\u0308",
    "vec": "\u20d7",
    "check": "\u030c",
    "acute": "\u0301",
    "mathring": "\u030a",
}


def _create_alphabet(capitals: int, small: int, exceptions: dict[str, str]) -> dict[str, str]:
    """Return a run of Unicode's Mathematical Alphanumeric Symbols, without its holes."""
    letters = {chr(ord("A") + n): chr(capitals + n) for n in range(26)}
    letters |= {chr(ord("a") + n): chr(small + n) for n in range(26)}
    return letters | exceptions


_DOUBLE_STRUCK = {"C": "ℂ", "H": "ℍ", "N": "ℕ", "P": "ℙ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ"}
_SCRIPT = {"B": "ℬ", "E": "ℰ", "F": "ℱ", "H": "ℋ", "I": "ℐ", "L": "ℒ", "M": "ℳ", "R": "ℛ"}
_SCRIPT |= {"e": "ℯ", "g": "ℊ", "o": "ℴ"}
_FRAKTUR = {"C": "ℭ", "H": "ℌ", "I": "ℑ", "R": "ℜ", "Z": "ℨ"}

_BOLD = _create_alphabet(0x1D400, 0x1D41A, {str(n): chr(0x1D7CE + n) for n in range(10)})
ALPHABETS: dict[str, dict[str, str]] = {
    "mathbb": _create_alphabet(0x1D538, 0x1D552, _DOUBLE_STRUCK),
    "mathcal": _create_alphabet(0x1D49C, 0x1D4B6, _SCRIPT),
    "mathscr": _create_alphabet(0x1D49C, 0x1D4B6, _SCRIPT),
    "mathfrak": _create_alphabet(0x1D504, 0x1D51E, _FRAKTUR),
    "mathbf": _BOLD,
    "boldsymbol": _BOLD,
    "bm": _BOLD,
}

"""Simple mathematics as a line of Unicode text: x², √2, α ≤ β, ½, (a + b)/c.

Only what comes out exact is written so. Whatever has no exact line (matrices, aligned lines,
braces under a sum, unknown commands) is left to the typesetter.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from bot.render import latex_symbols

# The atoms of a formula, and their spacing on a line (TeXbook, appendix G).

# Expressions of which a following script or letter would seem to bind only a part.
_WEAK = {*latex_symbols.ROOTS.values(), *latex_symbols.VULGAR_FRACTIONS.values()}


class AtomKind(Enum):
    ORDINARY = auto()
    FUNCTION = auto()
    BIG = auto()
    BINARY = auto()
    RELATION = auto()
    OPENING = auto()
    CLOSING = auto()
    COMMA = auto()
    SPACE = auto()


@dataclass(frozen=True)
class Atom:
    text: str
    kind: AtomKind = AtomKind.ORDINARY
    laid: bool = False  # laid on its side
    loose: bool = False  # needs parentheses beside anything that binds tighter

    def as_base(self) -> "Atom":
        """Return the atom as the base of a script, in parentheses where needed."""
        if self.loose or self.text[:1] in _WEAK:
            return replace(self, text=f"({self.text})", loose=False)
        return self


def join_atoms(atoms: list[Atom]) -> str:
    """Join the atoms to a line."""
    return "".join(_add_spaces(list(_classify_signs(atoms))))


def _classify_signs(atoms: list[Atom]) -> Iterator[Atom]:
    """Tell signs from operators, and put fractions in parentheses if something touches them."""
    for number, atom in enumerate(atoms):
        before = atoms[number - 1] if number else None
        after = atoms[number + 1] if number + 1 < len(atoms) else None
        if atom.kind is AtomKind.BINARY and (after is None or not _is_operand(before)):
            yield replace(atom, kind=AtomKind.OPENING)
        elif atom.loose and (_passes(before, _is_operand) or _passes(after, _is_operand_start)):
            yield replace(atom, text=f"({atom.text})")
        else:
            yield atom


def _passes(atom: Atom | None, test: Callable[[Atom | None], bool]) -> bool:
    return atom is not None and test(atom)


def _is_operand(atom: Atom | None) -> bool:
    return atom is not None and atom.kind in (AtomKind.ORDINARY, AtomKind.CLOSING)


def _is_operand_start(atom: Atom | None) -> bool:
    kinds = (AtomKind.ORDINARY, AtomKind.OPENING, AtomKind.FUNCTION, AtomKind.BIG)
    return atom is not None and atom.kind in kinds


def _add_spaces(atoms: list[Atom]) -> Iterator[str]:
    for number, atom in enumerate(atoms):
        before = atoms[number - 1] if number else None
        if before is not None and _needs_space(before, atom):
            yield " "
        yield atom.text


def _needs_space(left: Atom, right: Atom) -> bool:
    kinds = (left.kind, right.kind)
    if AtomKind.SPACE in kinds:
        return False
    if AtomKind.RELATION in kinds or AtomKind.BINARY in kinds or left.kind is AtomKind.COMMA:
        return True
    if left.kind in (AtomKind.FUNCTION, AtomKind.BIG):
        return right.kind not in (AtomKind.OPENING, AtomKind.CLOSING, AtomKind.COMMA)
    if left.text[:1] in latex_symbols.ROOTS.values() and right.kind is AtomKind.ORDINARY:
        return True
    return right.kind is AtomKind.FUNCTION and left.kind in (AtomKind.ORDINARY, AtomKind.CLOSING)


_MAX_LENGTH = 400
_WORD = re.compile(
    r"\\[A-Za-z]+\*?|\\.|\d{1,3}(?:,\d{3})+(?!\d)|\d+(?:\.\d+)?|\{,\}|\S|\s+", re.DOTALL
)
_DIFFERENTIAL = re.compile(r"[d∂]\w")
_TEXT_ESCAPES = {"\\ ": " ", "\\,": " ", **{f"\\{char}": char for char in "$%&#_"}}
_WRITES_TEXT = {"text", "textrm", "textbf", "textit", "operatorname"}
_RESTYLED = {
    *latex_symbols.ACCENTS,
    *latex_symbols.ALPHABETS,
    "mathrm",
    "mathsf",
    "mathit",
    "pmod",
    "boxed",
}
_RELATION_CHARS = {"=": "=", "<": "<", ">": ">", ":": ":", "≤": "≤", "≥": "≥", "→": "→", "≈": "≈"}
_BINARY_CHARS = {"+": "+", "-": "−", "*": "∗", "×": "×", "÷": "÷", "±": "±", "·": "·"}


@dataclass(frozen=True)
class UnicodeLine:
    text: str
    flat: bool  # reads as the formula would look: no stack of any kind was laid on its side


class _NoLine(Exception):
    """There is no exact line for it."""


def to_unicode(latex: str) -> UnicodeLine | None:
    """Return the formula as one line of plain text (not yet Markdown), or None."""
    if len(latex) > _MAX_LENGTH:
        return None
    try:
        atoms = _Reader(latex).read_all()
        text = join_atoms(atoms).strip()
    except _NoLine:
        return None
    return UnicodeLine(text, flat=not any(atom.laid for atom in atoms)) if text else None


class _Reader:
    """Reads atoms off the words of a formula."""

    def __init__(self, latex: str) -> None:
        self._words = [t for t in _WORD.findall(latex) if not t.isspace() or t == " "]
        self._at = 0

    def read_all(self) -> list[Atom]:
        atoms = self._read_until(None)
        if self._at < len(self._words):
            raise _NoLine
        return atoms

    def _read_until(self, closing: str | None) -> list[Atom]:
        atoms: list[Atom] = []
        while (word := self._peek()) != closing:
            if word is None or word == "}":
                raise _NoLine
            self._at += 1
            self._add(word, atoms)
        self._at += closing is not None
        return atoms

    def _peek(self) -> str | None:
        return self._words[self._at] if self._at < len(self._words) else None

    def _add(self, word: str, atoms: list[Atom]) -> None:
        if word == " ":
            return
        if word in ("^", "_", "'"):
            self._script(word, atoms)
        elif word == "{":
            inner = self._read_until("}")
            atoms.extend(
                inner if _only(inner) else [Atom(join_atoms(inner), laid=_has_layout(inner))]
            )
        elif word.startswith("\\"):
            self._command(word[1:], atoms)
        else:
            atoms.append(_character(word))

    def _read_argument(self) -> list[Atom]:
        while self._peek() == " ":
            self._at += 1
        word = self._peek()
        if word is None or word in "}^_&":
            raise _NoLine
        if word[0].isdigit() and len(word) > 1:  # TeX takes one digit
            self._words[self._at : self._at + 1] = [word[0], word[1:]]
            word = word[0]
        self._at += 1
        atoms: list[Atom] = []
        if word == "{":
            atoms = self._read_until("}")
        else:
            self._add(word, atoms)
        if not atoms:
            raise _NoLine
        return atoms

    def _verbatim(self) -> str:
        """Read a group of text, in which spaces count and nothing is a command."""
        if self._peek() != "{" or "}" not in self._words[self._at :]:
            raise _NoLine
        end = self._words.index("}", self._at)
        words = self._words[self._at + 1 : end]
        if any(w in ("{", "$") or (w.startswith("\\") and w not in _TEXT_ESCAPES) for w in words):
            raise _NoLine
        self._at = end + 1
        return "".join(_TEXT_ESCAPES.get(word, word) for word in words)

    # --- commands -------------------------------------------------------------------------------

    def _command(self, name: str, atoms: list[Atom]) -> None:
        for table, kind in _TABLES:
            if name in table:
                atoms.append(Atom(table[name], kind))
                return
        if name in latex_symbols.FUNCTIONS:
            atoms.append(Atom(name, AtomKind.FUNCTION))
        elif name in latex_symbols.IGNORED:
            self._delimiter_is_there(name)
        elif name in _WRITES_TEXT:
            kind = AtomKind.FUNCTION if name == "operatorname" else AtomKind.ORDINARY
            atoms.append(Atom(self._verbatim(), kind))
        else:
            atoms.append(self._construct(name))

    def _construct(self, name: str) -> Atom:
        if name in ("frac", "dfrac", "tfrac"):
            return _fraction(self._read_argument(), self._read_argument())
        if name == "sqrt":
            return self._root()
        if name not in _RESTYLED:
            raise _NoLine
        return _restyle(name, self._read_argument())

    def _delimiter_is_there(self, name: str) -> None:
        # `\left.` is an invisible delimiter.
        if name in ("left", "right") and self._peek() == ".":
            raise _NoLine

    def _root(self) -> Atom:
        degree = "2"
        if self._peek() == "[":
            self._at += 1
            degree = join_atoms(self._read_until("]"))
        sign = latex_symbols.ROOTS.get(degree) or f"{_to_superscript(degree)}√"
        inner = self._read_argument()
        single = len(inner) == 1 and (len(inner[0].text) == 1 or inner[0].text.isdigit())
        text = inner[0].text if single else f"({join_atoms(inner)})"
        return Atom(sign + text, laid=_has_layout(inner) or not single)

    def _script(self, word: str, atoms: list[Atom]) -> None:
        if not atoms:
            raise _NoLine
        base = atoms.pop().as_base()
        if word == "'":
            atoms.append(replace(base, text=base.text + "′"))
            return
        script = self._read_argument()
        table = latex_symbols.SUPERSCRIPTS if word == "^" else latex_symbols.SUBSCRIPTS
        small = _small("".join(atom.text for atom in script), table)
        if small is None:
            text = join_atoms(script).replace(" ", "")
            small = word + (text if len(text) == 1 else f"({text})")
        simple = small[0] not in "^_" and not _has_layout(script)
        atoms.append(replace(base, text=base.text + small, laid=base.laid or not simple))


_TABLES: tuple[tuple[dict[str, str], AtomKind], ...] = (
    (latex_symbols.ORDINARY, AtomKind.ORDINARY),
    (latex_symbols.RELATIONS, AtomKind.RELATION),
    (latex_symbols.BINARIES, AtomKind.BINARY),
    (latex_symbols.BIG_OPERATORS, AtomKind.BIG),
    (latex_symbols.OPENINGS, AtomKind.OPENING),
    (latex_symbols.CLOSINGS, AtomKind.CLOSING),
    (latex_symbols.FENCES, AtomKind.ORDINARY),
    (latex_symbols.SPACES, AtomKind.SPACE),
)


def _character(char: str) -> Atom:
    tables: tuple[tuple[dict[str, str], AtomKind], ...] = (
        (_RELATION_CHARS, AtomKind.RELATION),
        (_BINARY_CHARS, AtomKind.BINARY),
        ({"(": "(", "[": "["}, AtomKind.OPENING),
        ({")": ")", "]": "]"}, AtomKind.CLOSING),
        ({",": ",", ";": ";"}, AtomKind.COMMA),
        ({"~": " "}, AtomKind.SPACE),
    )
    for table, kind in tables:
        if char in table:
            return Atom(table[char], kind)
    if char in "&#$%}":
        raise _NoLine
    return Atom("," if char == "{,}" else char)


def _fraction(over: list[Atom], under: list[Atom]) -> Atom:
    top, bottom = join_atoms(over), join_atoms(under)
    if vulgar := latex_symbols.VULGAR_FRACTIONS.get(f"{top}/{bottom}"):
        return Atom(vulgar)
    return Atom(f"{_parenthesize(over)}/{_parenthesize(under, below=True)}", laid=True, loose=True)


def _parenthesize(atoms: list[Atom], *, below: bool = False) -> str:
    """Return the text in parentheses unless it holds together beside a slash."""
    text = join_atoms(atoms)
    several = below and len(atoms) > 1 and not _DIFFERENTIAL.fullmatch(text)
    loose = any(a.loose or a.kind not in (AtomKind.ORDINARY, AtomKind.BIG) for a in atoms)
    return f"({text})" if several or loose or " " in text else text


def _restyle(name: str, atoms: list[Atom]) -> Atom:
    text = join_atoms(atoms)
    if name in latex_symbols.ACCENTS:
        return _accent(text, latex_symbols.ACCENTS[name])
    if name in latex_symbols.ALPHABETS:
        return _to_alphabet(text, latex_symbols.ALPHABETS[name])
    if name == "pmod":
        return Atom(f" (mod {text})")
    return Atom(text, laid=name == "boxed")


def _accent(text: str, accent: str) -> Atom:
    if len(text) != 1:
        raise _NoLine
    return Atom(text + accent)


def _to_alphabet(text: str, alphabet: dict[str, str]) -> Atom:
    # Greek letters have no bold form here, so the formula is drawn instead.
    if not text or any(char not in alphabet for char in text):
        raise _NoLine
    return Atom("".join(alphabet[char] for char in text))


def _to_superscript(text: str) -> str:
    small = _small(text, latex_symbols.SUPERSCRIPTS)
    if small is None:
        raise _NoLine
    return small


def _small(text: str, table: dict[str, str]) -> str | None:
    if not text or any(char not in table for char in text):
        return None
    return "".join(table[char] for char in text)


def _has_layout(atoms: list[Atom]) -> bool:
    return any(atom.laid for atom in atoms)


def _only(atoms: list[Atom]) -> bool:
    return len(atoms) == 1

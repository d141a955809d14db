"""The atoms of a formula, and their spacing on a line (TeXbook, appendix G)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from bot.render import latex_symbols

# What a script or a letter right behind it would seem to bind to in part.
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
    """The line that the atoms make."""
    return "".join(_add_spaces(list(_classify_signs(atoms))))


def _classify_signs(atoms: list[Atom]) -> Iterator[Atom]:
    """Signs told from operators, and fractions put in parentheses where something touches them."""
    for number, atom in enumerate(atoms):
        before = atoms[number - 1] if number else None
        after = atoms[number + 1] if number + 1 < len(atoms) else None
        if atom.kind is AtomKind.BINARY and (after is None or not _is_operand(before)):
            yield replace(atom, kind=AtomKind.OPENING)
        elif atom.loose and (_touches(before, _is_operand) or _touches(after, _is_operand_start)):
            yield replace(atom, text=f"({atom.text})")
        else:
            yield atom


def _touches(atom: Atom | None, test: Callable[[Atom | None], bool]) -> bool:
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

"""The tables of modules in `docs/architecture.md`: `python -m tests.module_tables` writes them.

Each module stands there with the first sentence of its docstring, so that a reader finds a
behaviour on one page, and no table falls behind the code.
"""

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs/architecture.md"
PACKAGES = ("common", "jobqueue", "bot", "inference", "playground", "bench", "training")
BEGIN, END = "<!-- modules -->\n", "<!-- end of modules -->\n"
SENTENCE = re.compile(r"(.+?[.!?])(?:\s|$)", re.DOTALL)


def first_sentence(path: Path) -> str:
    """Return the first sentence of a module's docstring, on one line."""
    text = " ".join((ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split())
    match = SENTENCE.match(text)
    return (match[1] if match else text).rstrip(".").replace("|", "\\|")


def package_table(folder: Path) -> str:
    """Return the table of one folder's modules; `__init__.py` describes the folder itself."""
    name = folder.relative_to(PROJECT).as_posix()
    about = first_sentence(folder / "__init__.py")
    modules = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    rows = [f"| `{path.name}` | {first_sentence(path)} |" for path in modules]
    head = f"### `{name}/`\n\n" + (f"{about}.\n\n" if about else "")
    table = "\n".join(("| module | what it holds |", "|---|---|", *rows)) + "\n"
    return head + (table if rows else "")


def module_tables() -> str:
    """Return the tables of all packages, a package before the folders in it."""
    folders = [
        path.parent
        for package in PACKAGES
        for path in sorted((PROJECT / package).rglob("__init__.py"), key=lambda path: path.parent)
    ]
    return "\n".join(package_table(folder) for folder in folders)


def insert(page: str) -> str:
    """Return `page` with today's tables between its marks.

    Raises:
        ValueError: the page has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has no marks {BEGIN.strip()} and {END.strip()}")
    return f"{before}{BEGIN}\n{module_tables()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(insert(PAGE.read_text("utf-8")), "utf-8")

"""The table of `docs/architecture.md` is how the packages really import one another."""

import re
from pathlib import Path

import grimp
import pytest

PROJECT = Path(__file__).parents[1]
COLUMNS = ("bot", "inference", "playground")
NAME = re.compile(r"`(\w+)/?`")

HEAD = f"| | {' | '.join(f'`{name}/`' for name in COLUMNS)} |\n"


def _drawn(package: str) -> list[tuple[str, int]]:
    """What stands in the package's column, and how far down."""
    below = (PROJECT / "docs/architecture.md").read_text().partition(HEAD)[2]
    lines = below.partition("\n\n")[0].splitlines()[1:]
    cells = [line.split("|")[2 + COLUMNS.index(package)] for line in lines]
    return [(name, row) for row, cell in enumerate(cells) for name in NAME.findall(cell)]


def _parts(package: str) -> set[str]:
    """Its modules and packages, one level deep."""
    folder = PROJECT / package
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    return modules | {path.parent.name for path in folder.glob("*/__init__.py")} - {"locales"}


@pytest.fixture(scope="module")
def imports() -> set[tuple[str, str]]:
    """`bot.discord`, `bot.render`: who imports whom, one level deep."""
    graph = grimp.build_graph(*COLUMNS, cache_dir=None)
    return {
        (_part(module), _part(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }


def _part(module: str) -> str:
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize("package", COLUMNS)
def test_everything_stands_in_the_table_once(package: str) -> None:
    assert sorted(name for name, _ in _drawn(package)) == sorted(_parts(package))


@pytest.mark.parametrize("package", COLUMNS)
def test_nothing_imports_what_stands_above_it(package: str, imports: set[tuple[str, str]]) -> None:
    row = {f"{package}.{name}": number for name, number in _drawn(package)}
    within = [(one, other) for one, other in imports if one in row and other in row]
    upwards = [(one, other) for one, other in within if row[other] < row[one]]
    assert not upwards

"""The structure that `docs/architecture.md` promises: who imports whom, one meaning per class name,
no circle of imports, and a page that names every module.
"""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from importlib import metadata
from pathlib import Path

import grimp
import pytest

from tests import module_tables

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


PACKAGES = ("bot", "common", "inference", "jobqueue", "playground", "bench", "training")
SOURCES = [path for package in PACKAGES for path in sorted((PROJECT / package).rglob("*.py"))]


def test_no_imports_form_a_circle() -> None:
    """Imports under TYPE_CHECKING count, too."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_a_class_name_has_one_meaning() -> None:
    modules = defaultdict(set)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules[node.name].add(str(path.relative_to(PROJECT)))
    assert {name: files for name, files in modules.items() if len(files) > 1} == {}


def test_the_page_names_every_module() -> None:
    """`python -m tests.module_tables` writes its tables anew."""
    page = (PROJECT / "docs/architecture.md").read_text("utf-8")
    assert page == module_tables.insert(page)


@pytest.mark.parametrize(
    ("module", "image"),
    [
        ("bot.__main__", "bot"),
        ("jobqueue.__main__", "bot"),
        ("inference.__main__", "cpu"),
        ("inference.worker", "cpu"),
        ("inference.engines.llamacpp.engine", "cpu"),
        ("inference.sandbox.__main__", "sandbox"),
    ],
)
def test_a_program_starts_with_the_packages_of_its_image_alone(module: str, image: str) -> None:
    lock = (PROJECT / "deploy" / "requirements" / f"{image}.txt").read_text()
    installed = {_normalize(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    absent = [
        package
        for package, distributions in metadata.packages_distributions().items()
        if not installed & set(map(_normalize, distributions))
        and "commonroom" not in distributions
        and not package.startswith("_")
    ]
    assert "torch" in absent
    code = f"import sys; sys.modules.update(dict.fromkeys({absent!r})); import {module}"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def _normalize(name: str) -> str:
    """Return the name of a distribution as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()

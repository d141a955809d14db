"""Charts: numbers that belong together, read from a table or asked from the model, drawn in the
sandbox.

Every number of a chart stands in the text, and so do the words of its label. Numbers of different
things, as kilometres and people, make no chart; nor does a year count anything. The program that
draws is always the same.
"""

import csv
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import msgspec

from inference.article.llm_client import LLMClient
from inference.article.prompts import Prompts
from inference.article.source import numbers_in, plain_number
from inference.engines.base import Message
from inference.sandbox.client import Sandbox
from inference.sandbox.result import SandboxUnavailable
from jobqueue.article import ArticleFigure, ImageKind, ImageRequest, ImageSlot
from jobqueue.blobs import Blobs
from jobqueue.errors import QueueFull
from jobqueue.schema import Attachment

LEAST, MOST = 3, 12  # points of a chart
MAX_LABEL = 40
TOKENS = 160

_NUMBER = re.compile(r"[:：|]\s*(\d[\d.,]*)")  # behind its label
_SEPARATOR = re.compile("[:：|]")
_TITLE = re.compile(r"^\W*(?:title|标题)\W*[:：]\s*(.+)$", re.IGNORECASE)
_VALUE = re.compile(r"^\s*[-−]?\d[\d,]*(?:\.\d+)?\s*$")
_YEAR = re.compile(r"(?:1\d|20)\d\d")
_UNIT = re.compile(r"\s*(?:([%‰°])|([万亿千百]?[\u3400-\u9fff])|([^\W\d]+))")
_NO_UNIT = re.compile(r"(?:in|and|of|at|by|for|to|from|on|or|the|was|were|is|are|as|than|with)$")
_SCALES = {"million", "billion", "thousand", "hundred", "trillion"}


@dataclass(frozen=True, slots=True)
class Series:
    title: str
    points: tuple[tuple[str, float], ...]

    @property
    def in_time(self) -> bool:
        """Return whether its labels are years, in their order."""
        years = [label for label, _ in self.points if _YEAR.fullmatch(label.rstrip("年"))]
        return len(years) == len(self.points) and years == sorted(years)


def may_chart(text: str) -> bool:
    return len([each for each in numbers_in(text) if not _YEAR.fullmatch(each)]) >= LEAST


async def request_series(llm: LLMClient, prompts: Prompts, name: str, text: str) -> Series | None:
    """Ask the model for the numbers; None where those of the text make no chart."""
    example, written = prompts.numbers_example
    messages = (
        Message("system", prompts.chooser),
        Message("user", prompts.numbers_question.format(text=example)),
        Message("assistant", written),
        Message("user", prompts.numbers_question.format(text=text)),
    )
    said = await llm.ask(name, messages, temperature=0.0, max_tokens=llm.limit_tokens(TOKENS))
    return read_series(said, text)


def read_series(said: str, text: str) -> Series | None:
    """Return None when a line's number or label is not the text's, or the numbers are of several
    kinds."""
    title, points = "", dict[str, str]()
    for line in said.splitlines():
        if found := _TITLE.match(line):
            title = found[1].strip()
        elif (label := _SEPARATOR.split(line, 1)[0]) and (found := _NUMBER.match(line, len(label))):
            points.setdefault(label.strip(' \t*_"“”')[:MAX_LABEL], found[1].rstrip(".,"))
    written = numbers_in(text)
    if not LEAST <= len(points) <= MOST or not title:
        return None
    if not all(plain_number(number) in written for number in points.values()):
        return None
    if not all(_says(text, label) for label in (*points, title)):
        return None
    if not _of_one_kind(list(points.values()), text):
        return None
    return Series(title, tuple((label, float(plain_number(n))) for label, n in points.items()))


def tables(text: str, caption: str) -> Iterator[Series]:
    """Yield of each table, Markdown or CSV, the first column and the first one that is numbers
    throughout. `caption` has places for the heads of both: {value} and {label}."""
    for separator, lines in groupby(text.splitlines(), _separator):
        if separator and (series := _of_table(list(lines), separator, caption)):
            yield series


def _of_table(lines: list[str], separator: str, caption: str) -> Series | None:
    table = csv.reader((line.strip().strip("|") for line in lines), delimiter=separator)
    try:
        rows = [[cell.strip() for cell in row] for row in table]
    except csv.Error:  # a cell of more than 131,072 characters
        return None
    rows = [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    head, *body = rows or [[]]
    if not LEAST <= len(body) <= MOST or {len(row) for row in body} != {len(head)}:
        return None
    labels = [row[0][:MAX_LABEL] for row in body]
    columns = [at for at in range(1, len(head)) if all(_VALUE.match(row[at]) for row in body)]
    if not columns or len(set(labels)) < len(labels) or any(map(_VALUE.match, head)):
        return None
    value = columns[0]
    numbers = (float(row[value].replace(",", "").replace("−", "-")) for row in body)
    title = caption.format(value=head[value], label=head[0])
    return Series(title, tuple(zip(labels, numbers, strict=True)))


def _separator(line: str) -> str:
    found = next((each for each in "|\t;," if line.strip().strip("|").count(each)), "")
    return "" if found == "," and re.search(r", ", line) else found


def _says(text: str, label: str) -> bool:
    """Return whether the text has the words of a label: all, or half of those between particles."""
    if label.isascii():
        inside = {_stem(word) for word in re.findall(r"\w+", text.casefold())}
        return all(_stem(word) in inside for word in re.findall(r"\w{3,}", label.casefold()))
    parts = [part for part in re.split("[的与和、]", label) if part]
    return sum(part in text for part in parts) * 2 >= len(parts)


def _stem(word: str) -> str:
    return word.rstrip("s")


def _of_one_kind(numbers: list[str], text: str) -> bool:
    """Return whether what follows the numbers in the text is the same unit, or for some of them
    none."""
    if sum(bool(_YEAR.fullmatch(number)) for number in numbers):
        return False
    units = [_unit(number, text) for number in numbers]
    named = {unit for unit in units if unit}
    return len(named) <= 1 and not (named & _SCALES and "" in units)


def _unit(number: str, text: str) -> str:
    found = re.search(rf"(?<![\d.,]){re.escape(number)}(?![\d]|[.,]\d)", text)
    unit = _UNIT.match(text, found.end()) if found else None
    word = next(filter(None, unit.groups()), "").casefold() if unit else ""
    return "" if _NO_UNIT.match(word) else word.rstrip("s")


log = logging.getLogger(__name__)

PROGRAM = """\
import json
from matplotlib import pyplot as plt

data = json.load(open("series.json", encoding="utf-8"))
labels, values = zip(*data["points"])
height = 4.5 if data["in_time"] else 1 + 0.45 * len(labels)
figure, axes = plt.subplots(figsize=(8, height), dpi=120, layout="constrained")
if data["in_time"]:
    axes.plot(labels, values, marker="o", linewidth=2.5, color="#3b6ea8")
    axes.set_ylim(bottom=min(0, *values))
    for label, value in zip(labels, values):
        where = {"xytext": (0, 8), "textcoords": "offset points", "ha": "center"}
        axes.annotate(f"{value:,g}", (label, value), **where)
    axes.margins(x=0.08, y=0.15)
else:
    bars = axes.barh(labels[::-1], values[::-1], color="#3b6ea8", height=0.65)
    axes.bar_label(bars, fmt="{:,g}", padding=4)
    axes.margins(x=0.12)
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(length=0)
axes.spines[["top", "right"]].set_visible(False)
plt.show()
"""


async def draw_chart(sandbox: Sandbox, blobs: Blobs, series: Series) -> ImageSlot | None:
    """Return None where it could not be drawn or kept."""
    data = {"points": series.points, "in_time": series.in_time}
    files = {"series.json": msgspec.json.encode(data)}
    try:
        result = await sandbox.run(PROGRAM, files=files)
        if not result.figures:
            log.warning("a chart is not drawn", extra={"status": result.status})
            return None
        png = result.figures[0].png
        sha256 = await blobs.put(png)
    except (SandboxUnavailable, QueueFull) as error:
        log.warning("there is no chart", extra={"reason": str(error)})
        return None
    picture = Attachment(sha256=sha256, name="chart.png", media_type="image/png", size=len(png))
    values = ", ".join(f"{label} {value:,g}" for label, value in series.points)
    figure = ArticleFigure(
        picture=picture, caption=series.title, alt=f"{series.title}: {values}", kind=ImageKind.CHART
    )
    return ImageSlot(need=ImageRequest(caption=series.title, kind=ImageKind.CHART), figure=figure)

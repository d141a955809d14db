"""Numbers become a picture: drawn in the sandbox, by a program that is always the same."""

import logging

import msgspec

from inference.article.base import Keeper
from inference.article.series import Series
from inference.sandbox.client import Sandbox
from inference.sandbox.errors import SandboxUnavailable
from jobqueue.article import Figure, Kind, Need, Slot
from jobqueue.errors import QueueFull
from jobqueue.schema import Attachment

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


async def draw(sandbox: Sandbox, blobs: Keeper, series: Series) -> Slot | None:
    """None where it could not be drawn or kept."""
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
    figure = Figure(
        picture=picture,
        caption=series.title,
        alt=f"{series.title}: {values}",
        kind=Kind.CHART,
    )
    return Slot(need=Need(caption=series.title, kind=Kind.CHART), figure=figure)

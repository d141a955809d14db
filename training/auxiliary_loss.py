"""An auxiliary loss for the vision tower: what every patch of an image shows.

An answer has few tokens, but a scene is known to its last pixel. So small heads on the image's
tokens learn to classify the thing at each patch: its shape or digit, its colour, its place in the
image, and its size. The heads are discarded after training. From answers alone a model this small
needs very long to learn what is where.
"""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from training.questions import name_place
from training.scenes import COLORS, SHAPES, Scene, Thing, measure_number_width
from training.templates import PLACES

# Classes of each head; 0 is the ground. A digit's place is its position in the number.
WHAT = {name: at for at, name in enumerate(("", *SHAPES, *"0123456789"))}
COLOR = {name: at for at, name in enumerate(("", *COLORS))}
PLACE = {name: at for at, name in enumerate(("ground", "", *PLACES, *"0123"))}
SIZES = 8
COUNTS = (len(WHAT), len(COLOR), len(PLACE), SIZES)
IGNORED = -100

REACH = 1.15  # of a thing, in its radii; so even the smallest covers a patch

PatchClasses = NDArray[np.int64]


def label_patches(scene: Scene | None, size: tuple[int, int], side: int) -> PatchClasses:
    """Return the classes [side², 4] of an image's `side`² patches, row by row."""
    if scene is None:
        return np.full((side * side, len(COUNTS)), IGNORED)
    centres = (np.arange(side) + 0.5) / side
    x, y = (axis.ravel() for axis in np.meshgrid(centres, centres))
    classes = np.zeros((side * side, len(COUNTS)), np.int64)
    if scene.number:
        _label_number(classes, x, y, scene, size)
    elif scene.things:
        _label_things(classes, x, y, scene.things, size)
    return classes


def _label_things(
    classes: PatchClasses,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    things: tuple[Thing, ...],
    size: tuple[int, int],
) -> None:
    table = np.array([_classes_of(thing) for thing in things])
    where = np.array([(thing.x, thing.y, thing.r) for thing in things])
    across, down = min(size) / size[0], min(size) / size[1]
    away = np.hypot(
        (x[:, None] - where[:, 0]) / (across * where[:, 2]),
        (y[:, None] - where[:, 1]) / (down * where[:, 2]),
    )
    nearest = away.argmin(1)
    covered = away.min(1) < REACH
    classes[covered] = table[nearest[covered]]


def _classes_of(thing: Thing) -> tuple[int, ...]:
    step = int(math.log(thing.r / 0.075) / math.log(0.2 / 0.075) * (SIZES - 1))
    return (
        WHAT[thing.shape],
        COLOR[thing.color],
        PLACE[name_place(thing)],
        1 + max(0, min(step, SIZES - 2)),
    )


def _label_number(
    classes: PatchClasses,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    scene: Scene,
    size: tuple[int, int],
) -> None:
    width = measure_number_width(scene, size) / size[0]
    half_height = 0.42 * scene.number_height * min(size) / size[1]
    from_left = (x - scene.number_at[0]) / width + 0.5
    inside = (from_left >= 0) & (from_left < 1) & (abs(y - scene.number_at[1]) < half_height)
    color = COLOR[scene.number_color]
    table = np.array(
        [(WHAT[digit], color, PLACE[str(at)], 0) for at, digit in enumerate(scene.number)]
    )
    classes[inside] = table[(from_left[inside] * len(scene.number)).astype(int)]


class AuxiliaryLoss(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.Linear(width, sum(COUNTS))

    def forward(self, tokens: Tensor, classes: Tensor) -> Tensor:
        """Return the loss of `tokens` [images, patches, width] against `classes` [.., .., 4]."""
        scores: Any = self.heads(tokens).flatten(0, 1).split(COUNTS, -1)
        losses = [
            cross_entropy(each.float(), classes[..., at].flatten(), ignore_index=IGNORED)
            for at, each in enumerate(scores)
        ]
        return torch.stack(losses).sum()

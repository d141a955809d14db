"""Questions about a scene, in many wordings, each with one right answer.

Answers are short and always worded in the same way, since a small model learns that best. A
question is asked only if its answer is beyond doubt: about a thing that is the only one of its
kind, a place well inside its third of the image, or a size that is clearly larger.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from training import templates
from training.scenes import COLORS, MOST_THINGS, SHAPES, Scene, Thing
from training.templates import add_article, fill, join_names, pluralize

INSIDE = 0.05  # distance from the borders of a third of the image
BESIDE = 0.12  # distance from which one thing is left of, or above another
LARGER = 1.3  # the ratio from which a thing is clearly larger


@dataclass(frozen=True)
class SceneQuestion:
    kind: str  # "color", "shape", "count", "position", "yesno", "digits", "describe", "size", …
    question: str
    answer: str
    focus: Thing | None = None  # the thing that "it" means in the next question


Ask = Callable[[Random, Scene], SceneQuestion | None]


def ask(rng: Random, scene: Scene, focus: Thing | None = None) -> SceneQuestion:
    """Return a question about `scene`; some are about `focus`, the thing mentioned before."""
    if focus is not None and rng.random() < 0.4:
        return _about_it(rng, focus)
    askers = NUMBER_ASKERS if scene.number else THING_ASKERS
    while True:
        if asked := rng.choice(askers)(rng, scene):
            return asked


def ask_kind(rng: Random, scene: Scene, kind: str) -> SceneQuestion | None:
    """Return a question of one kind, if `scene` allows one."""
    askers = NUMBER_ASKERS if scene.number else THING_ASKERS
    for _ in range(20):
        asked = rng.choice(askers)(rng, scene)
        if asked and asked.kind == kind:
            return asked
    return None


def _question(
    rng: Random,
    kind: str,
    frames: Sequence[str],
    answer: str | bool,
    focus: Thing | None = None,
    **values: str | tuple[str, ...],
) -> SceneQuestion:
    """Word a question in one of the frames. An answer has no full stop after a few words, since
    Discord shows "3." as a list."""
    if isinstance(answer, bool):
        answer = "Yes" if answer else "No"
    answer = f"{answer[:1].upper()}{answer[1:]}"
    return SceneQuestion(kind, fill(rng, frames, **values), answer, focus)


def describe_thing(thing: Thing) -> str:
    return f"{thing.color} {thing.shape}"


# --- what there is ------------------------------------------------------------------------------


def _color(rng: Random, scene: Scene) -> SceneQuestion | None:
    if not (thing := _choose_unique(rng, scene.things, lambda t: t.shape)):
        return None
    frames = templates.COLOR_OF_ONE if len(scene.things) == 1 else templates.COLOR
    return _question(rng, "color", frames, thing.color, thing, shape=thing.shape)


def _shape(rng: Random, scene: Scene) -> SceneQuestion | None:
    if not (thing := _choose_unique(rng, scene.things, lambda t: t.color)):
        return None
    frames = templates.SHAPE_OF_ONE if len(scene.things) == 1 else templates.SHAPE
    return _question(rng, "shape", frames, thing.shape, thing, color=thing.color)


def _at(rng: Random, scene: Scene) -> SceneQuestion | None:
    """Ask for the colour, the shape or both of the thing at a place."""
    thing = rng.choice(scene.things)
    place = name_place(thing)
    if not place or any(t is not thing and _may_be_at(t, place) for t in scene.things):
        return None
    wanted = rng.choice(("color", "shape", "thing"))
    frames = {
        "color": templates.COLOR_AT,
        "shape": templates.SHAPE_AT,
        "thing": templates.THING_AT,
    }[wanted]
    answer = {"color": thing.color, "shape": thing.shape, "thing": describe_thing(thing)}[wanted]
    return _question(
        rng, wanted if wanted != "thing" else "shape", frames, answer, thing, place=place
    )


def _count(rng: Random, scene: Scene) -> SceneQuestion:
    things = scene.things
    what = rng.choice(("all", "all", "shape", "shape", "color", "color", "both"))
    some = rng.choice(things)
    shape = some.shape if rng.random() < 0.7 else rng.choice(SHAPES)
    color = some.color if rng.random() < 0.7 else rng.choice(tuple(COLORS))
    if what == "all":
        return _question(rng, "count", templates.COUNT_ALL, str(len(things)))
    if what == "shape":
        counted, number = pluralize(shape), sum(t.shape == shape for t in things)
    elif what == "color":
        counted, number = f"{color} shapes", sum(t.color == color for t in things)
    else:
        counted, number = (
            f"{color} {pluralize(shape)}",
            sum(t.key == (color, shape) for t in things),
        )
    return _question(rng, "count", templates.COUNT, str(number), things=counted)


def _exists(rng: Random, scene: Scene) -> SceneQuestion:
    """Ask whether a thing exists: as often yes as no, and a no is often half right."""
    true = rng.random() < 0.5
    some = rng.choice(scene.things)
    colors, shapes = {t.color for t in scene.things}, {t.shape for t in scene.things}
    keys = {t.key for t in scene.things}
    what = rng.choice(("both", "both", "shape", "color"))
    if what == "shape":
        shape = some.shape if true else rng.choice([s for s in SHAPES if s not in shapes])
        thing = shape
    elif what == "color":
        color = some.color if true else rng.choice([c for c in COLORS if c not in colors])
        thing = rng.choice((f"{color} shape", f"{color} thing"))
    else:
        key = some.key
        while not true and key in keys:
            color = some.color if rng.random() < 0.5 else rng.choice(tuple(COLORS))
            key = color, rng.choice((some.shape, rng.choice(SHAPES)))
        thing = " ".join(key)
    return _question(
        rng,
        "yesno",
        templates.EXISTS,
        true,
        some if true and what == "both" and _is_unique(scene, some) else None,
        a_thing=add_article(thing),
        things=pluralize(thing),
    )


def _describe(rng: Random, scene: Scene) -> SceneQuestion:
    counts = Counter(t.key for t in scene.things)
    order = sorted(
        counts, key=lambda key: (-counts[key], list(COLORS).index(key[0]), SHAPES.index(key[1]))
    )
    parts = [
        add_article(" ".join(key))
        if counts[key] == 1
        else f"{counts[key]} {pluralize(' '.join(key))}"
        for key in order
    ]
    return _question(rng, "describe", templates.DESCRIBE, f"{join_names(parts)}.")


# --- where it is --------------------------------------------------------------------------------


def name_place(thing: Thing) -> str:
    """Return "top left", "center", "bottom", …; empty if that is in doubt."""
    across, down = _index_of_third(thing.x), _index_of_third(thing.y)
    if across is None or down is None:
        return ""
    row, column = ("top", "", "bottom")[down], ("left", "", "right")[across]
    return f"{row} {column}".strip() or "center"


def _index_of_third(at: float) -> int | None:
    third = min(int(at * 3), 2)
    inside = all(abs(at - border) > INSIDE for border in (1 / 3, 2 / 3))
    return third if inside else None


def _may_be_at(thing: Thing, place: str) -> bool:
    """Return whether somebody may see the thing at that place."""
    return name_place(thing) in ("", place) or any(
        part in name_place(thing).split() for part in place.split()
    )


def _position(rng: Random, scene: Scene) -> SceneQuestion | None:
    thing = rng.choice(scene.things)
    place = name_place(thing)
    if not place or not (spoken := _unique_name(rng, scene, thing)):
        return None
    return _question(rng, "position", templates.WHERE, place, thing, thing=spoken)


def _beside(rng: Random, scene: Scene) -> SceneQuestion | None:
    """Ask which of two things is on a side, or whether one is."""
    if len(scene.things) < 2:
        return None
    one, other = rng.sample(scene.things, 2)
    side = rng.choice(("left", "right", "above", "below"))
    distance = {
        "left": other.x - one.x,
        "right": one.x - other.x,
        "above": other.y - one.y,
        "below": one.y - other.y,
    }[side]
    first, second = _unique_name(rng, scene, one), _unique_name(rng, scene, other)
    if abs(distance) < BESIDE or not first or not second:
        return None
    if len(scene.things) == 2 and distance > 0 and rng.random() < 0.5:
        return _question(
            rng,
            "position",
            templates.WHAT_BESIDE,
            describe_thing(one),
            one,
            side=templates.SIDES[side],
            other=second,
        )
    return _question(
        rng,
        "yesno",
        templates.IS_BESIDE,
        distance > 0,
        one,
        thing=first,
        side=templates.SIDES[side],
        other=second,
    )


# --- how large it is ----------------------------------------------------------------------------


def _extreme(rng: Random, scene: Scene) -> SceneQuestion | None:
    by_size = sorted(scene.things, key=lambda t: t.r)
    if len(by_size) < 2:
        return None
    large = rng.random() < 0.5
    thing, next_one = (by_size[-1], by_size[-2]) if large else (by_size[0], by_size[1])
    if max(thing.r, next_one.r) < LARGER * min(thing.r, next_one.r):
        return None
    which = rng.choice(templates.LARGEST if large else templates.SMALLEST)
    wanted = rng.choice(("color", "shape", "size", "size"))
    frames = {"color": templates.COLOR_OF, "shape": templates.SHAPE_OF, "size": templates.WHICH_IS}[
        wanted
    ]
    answer = {"color": thing.color, "shape": thing.shape, "size": describe_thing(thing)}[wanted]
    return _question(rng, wanted, frames, answer, thing, which=which)


def _larger(rng: Random, scene: Scene) -> SceneQuestion | None:
    if len(scene.things) < 2:
        return None
    one, other = rng.sample(scene.things, 2)
    first, second = _unique_name(rng, scene, one), _unique_name(rng, scene, other)
    if max(one.r, other.r) < LARGER * min(one.r, other.r) or not first or not second:
        return None
    larger = rng.random() < 0.5
    how = rng.choice(templates.LARGER if larger else templates.SMALLER)
    true = (one.r > other.r) == larger
    if rng.random() < 0.6:
        return _question(
            rng, "yesno", templates.IS_LARGER, true, one, thing=first, how=how, other=second
        )
    chosen = one if true else other
    return _question(
        rng,
        "size",
        templates.WHICH_LARGER,
        describe_thing(chosen),
        chosen,
        thing=first,
        how=how,
        other=second,
    )


def _more(rng: Random, scene: Scene) -> SceneQuestion | None:
    counts = Counter(t.shape for t in scene.things)
    if len(counts) < 2:
        return None
    one, other = rng.sample(sorted(counts), 2)
    if counts[one] == counts[other] and rng.random() < 0.9:
        return None
    true = counts[one] > counts[other]
    return _question(
        rng, "yesno", templates.MORE, true, things=pluralize(one), others=pluralize(other)
    )


# --- numbers ------------------------------------------------------------------------------------


def _digits(rng: Random, scene: Scene) -> SceneQuestion:
    return _question(rng, "digits", templates.NUMBER, scene.number)


def _number_color(rng: Random, scene: Scene) -> SceneQuestion:
    return _question(rng, "color", templates.NUMBER_COLOR, scene.number_color)


def _is_number(rng: Random, scene: Scene) -> SceneQuestion:
    true = rng.random() < 0.5
    number = scene.number
    while not true and number == scene.number:
        digits = list(scene.number)
        digits[rng.randrange(len(digits))] = rng.choice("0123456789")
        number = "".join(digits)
    return _question(rng, "yesno", templates.IS_NUMBER, true, number=number)


def _describe_number(rng: Random, scene: Scene) -> SceneQuestion:
    answer = f"The number {scene.number} in {scene.number_color}."
    return _question(rng, "describe", templates.DESCRIBE, answer)


def _number_exists(rng: Random, _scene: Scene) -> SceneQuestion:
    if rng.random() < 0.5:
        return _question(rng, "yesno", templates.HAS_NUMBER, True)
    thing = rng.choice((rng.choice(SHAPES), f"{rng.choice(tuple(COLORS))} {rng.choice(SHAPES)}"))
    return _question(
        rng, "yesno", templates.EXISTS, False, a_thing=add_article(thing), things=pluralize(thing)
    )


def _no_number(rng: Random, _scene: Scene) -> SceneQuestion | None:
    if rng.random() < 0.5:
        return None
    if rng.random() < 0.5:
        return _question(rng, "yesno", templates.HAS_NUMBER, False)
    return _question(rng, "digits", templates.NUMBER, "I see no number.")


# --- it -----------------------------------------------------------------------------------------


def _about_it(rng: Random, it: Thing) -> SceneQuestion:
    wanted = rng.choice(("color", "shape", "position", "yesno"))
    if wanted == "color":
        return _question(rng, "color", templates.ITS_COLOR, it.color, it)
    if wanted == "shape":
        return _question(rng, "shape", templates.ITS_SHAPE, it.shape, it)
    if wanted == "position" and (place := name_place(it)):
        return _question(rng, "position", templates.ITS_PLACE, place, it)
    color = it.color if rng.random() < 0.5 else rng.choice([c for c in COLORS if c != it.color])
    return _question(rng, "yesno", templates.IS_IT, color == it.color, it, color=color)


# --- names of things ----------------------------------------------------------------------------


def _is_unique(scene: Scene, thing: Thing) -> bool:
    return sum(t.key == thing.key for t in scene.things) == 1


def _unique_name(rng: Random, scene: Scene, thing: Thing) -> str:
    """Return a name that fits only this thing of the scene; empty if there is none."""
    ways = []
    if _is_unique(scene, thing):
        ways.append(describe_thing(thing))
    if sum(t.shape == thing.shape for t in scene.things) == 1:
        ways.append(thing.shape)
    if sum(t.color == thing.color for t in scene.things) == 1:
        ways.append(f"{thing.color} shape")
    return rng.choice(ways) if ways else ""


def _choose_unique(
    rng: Random, things: Sequence[Thing], by: Callable[[Thing], str]
) -> Thing | None:
    """Choose a thing that is the only one of its kind."""
    counts = Counter(map(by, things))
    singles = [thing for thing in things if counts[by(thing)] == 1]
    return rng.choice(singles) if singles else None


THING_ASKERS: tuple[Ask, ...] = (
    *(_color, _shape, _at, _at, _count, _count, _count, _exists, _exists, _describe),
    *(_position, _position, _position, _position, _beside, _beside, _beside),
    *(_extreme, _extreme, _extreme, _larger, _larger, _more, _no_number),
)
NUMBER_ASKERS: tuple[Ask, ...] = (
    *(_digits, _digits, _digits, _number_color, _is_number, _describe_number, _number_exists),
)
assert MOST_THINGS < 10  # noqa: S101 — counts are one digit

"""The wordings of questions. `{…}` is filled in, `[…]` is replaced by a synonym."""

from collections.abc import Sequence
from random import Random

UNKNOWN = "I only know pictures of simple shapes and digits."
ENGLISH_ONLY = "我只看得懂简单形状和数字的图片，请用英语提问。"
NO_PICTURE = "I see no picture. Show me one of simple shapes or digits."

# Synonyms of a word; a wording may use any of them.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "color": ("color", "color", "colour"),
    "gray": ("gray", "gray", "grey"),
    "purple": ("purple", "purple", "purple", "violet"),
    "picture": ("picture", "picture", "image", "image", "scene", "photo"),
    "shapes": ("shapes", "shapes", "objects", "things", "figures"),
    "shape": ("shape", "shape", "object", "figure", "thing"),
}

COLOR = (
    "What color is the {shape}?",
    "Which color is the {shape}?",
    "What is the color of the {shape}?",
    "Which color does the {shape} have?",
    "What color does the {shape} have?",
    "Tell me the color of the {shape}.",
    "The {shape} is what color?",
    "What colour is the {shape} in the [picture]?",
)
COLOR_OF_ONE = (
    *COLOR,
    "What color is the [shape]?",
    "What color is it?",
    "Which color is it?",
    "What color is this?",
    "What color do you see?",
    "What is the color of the [shape]?",
    "What color is the [shape] in the [picture]?",
)
SHAPE = (
    "What shape is {color}?",
    "Which shape is {color}?",
    "Which [shape] is {color}?",
    "What is {color}?",
    "What is the {color} [shape]?",
    "What is the shape of the {color} object?",
    "What shape is the {color} object?",
    "What shape is the {color} one?",
    "What shape does the {color} thing have?",
    "What kind of shape is {color}?",
)
SHAPE_OF_ONE = (
    *SHAPE,
    "What shape is this?",
    "What shape is it?",
    "Which shape is it?",
    "What shape is shown?",
    "Which shape do you see?",
    "What shape do you see?",
    "What shape is in the [picture]?",
    "What shape is the object?",
    "What is the shape of the object?",
    "What kind of shape is this?",
)
COLOR_AT = (
    "What color is the [shape] {at}?",
    "Which color is the [shape] {at}?",
    "What is the color of the [shape] {at}?",
    "What color is {at}?",
)
SHAPE_AT = (
    "What shape is {at}?",
    "Which shape is {at}?",
    "What shape is the object {at}?",
    "What is the shape of the object {at}?",
)
THING_AT = ("What is {at}?", "What do you see {at}?", "What object is {at}?", "What's {at}?")
COUNT_ALL = (
    "How many [shapes] are there?",
    "How many [shapes] do you see?",
    "How many [shapes] can you see?",
    "How many [shapes] are in the [picture]?",
    "How many [shapes] are shown?",
    "How many are there?",
    "Count the [shapes].",
    "How many [shapes] are there in the [picture]?",
    "How many [shapes] are there in total?",
    "What is the number of [shapes]?",
    "How many [shapes] does the [picture] show?",
    "How many [shapes] are visible?",
)
COUNT = (
    "How many {things} are there?",
    "How many {things} do you see?",
    "How many {things} can you see?",
    "How many {things} are in the [picture]?",
    "How many {things} are shown?",
    "How many {things}?",
    "Count the {things}.",
    "How many {things} are there in the [picture]?",
    "What is the number of {things}?",
    "How many {things} does the [picture] show?",
    "How many {things} are visible?",
)
EXISTS = (
    "Is there {a_thing}?",
    "Is there {a_thing} in the [picture]?",
    "Do you see {a_thing}?",
    "Can you see {a_thing}?",
    "Does the [picture] show {a_thing}?",
    "Does the [picture] contain {a_thing}?",
    "Are there any {things}?",
    "Are there any {things} in the [picture]?",
    "Is {a_thing} in the [picture]?",
    "Is {a_thing} shown?",
)
DESCRIBE = (
    "Describe the [picture].",
    "Describe this [picture].",
    "Describe it.",
    "Please describe the [picture].",
    "Describe what you see.",
    "What do you see?",
    "What do you see in the [picture]?",
    "What is in the [picture]?",
    "What is in this [picture]?",
    "What's in the [picture]?",
    "What's in this [picture]?",
    "What does the [picture] show?",
    "What is shown?",
    "What is this?",
    "What can you see?",
    "Which [shapes] are there?",
    "Which [shapes] do you see?",
    "What [shapes] are in the [picture]?",
    "Explain the [picture].",
    "Explain this [picture].",
    "Tell me what you see.",
    "Tell me what is in the [picture].",
    "List the [shapes].",
    "Please look at what I posted and tell me what is in it.",
    "Please explain this picture: what does it show?",
)
WHERE = (
    "Where is the {thing}?",
    "Where is the {thing} in the [picture]?",
    "Where do you see the {thing}?",
    "In which part of the [picture] is the {thing}?",
    "What is the position of the {thing}?",
    "Where can I find the {thing}?",
    "Where's the {thing}?",
    "In which corner or side is the {thing}?",
)
SIDES: dict[str, tuple[str, ...]] = {
    "left": ("to the left of", "left of", "on the left of"),
    "right": ("to the right of", "right of", "on the right of"),
    "above": ("above", "over", "higher than"),
    "below": ("below", "under", "lower than"),
}
WHAT_BESIDE = (
    "What is {side} the {other}?",
    "Which [shape] is {side} the {other}?",
    "What do you see {side} the {other}?",
)
IS_BESIDE = (
    "Is the {thing} {side} the {other}?",
    "Is the {thing} {side} the {other}?",
    "Do you see the {thing} {side} the {other}?",
)
LARGEST = ("largest", "biggest")
SMALLEST = ("smallest", "tiniest")
COLOR_OF = (
    "What color is the {which} [shape]?",
    "What color is the {which} one?",
    "What is the color of the {which} [shape]?",
    "Which color does the {which} [shape] have?",
)
SHAPE_OF = (
    "What shape is the {which} object?",
    "What shape is the {which} one?",
    "What is the shape of the {which} object?",
    "What shape does the {which} object have?",
)
WHICH_IS = (
    "Which [shape] is the {which}?",
    "What is the {which} [shape]?",
    "Which is the {which}?",
    "Which one is the {which}?",
    "Which is the {which} [shape]?",
)
LARGER = ("bigger", "larger")
SMALLER = ("smaller",)
IS_LARGER = ("Is the {thing} {how} than the {other}?",)
WHICH_LARGER = (
    "Which is {how}, the {thing} or the {other}?",
    "What is {how}, the {thing} or the {other}?",
    "Which one is {how}: the {thing} or the {other}?",
)
MORE = (
    "Are there more {things} than {others}?",
    "Do you see more {things} than {others}?",
    "Is the number of {things} larger than the number of {others}?",
)
NUMBER = (
    "What number is shown?",
    "What number is this?",
    "What number is it?",
    "Which number is this?",
    "Which number is shown?",
    "Which number do you see?",
    "What number do you see?",
    "What number is in the [picture]?",
    "Which number is in the [picture]?",
    "What is the number?",
    "What number is written here?",
    "Read the number.",
    "Which digits are shown?",
    "What digits do you see?",
    "What digit is shown?",
    "What does the number say?",
    "Read the digits.",
)
NUMBER_COLOR = (
    "What color is the number?",
    "Which color is the number?",
    "What is the color of the number?",
    "What color does the number have?",
    "What color are the digits?",
    "What color is it?",
)
IS_NUMBER = (
    "Is the number {number}?",
    "Is it {number}?",
    "Is this the number {number}?",
    "Does the [picture] show the number {number}?",
    "Do you see the number {number}?",
    "Is {number} shown?",
)
HAS_NUMBER = (
    "Is there a number?",
    "Is there a number in the [picture]?",
    "Do you see a number?",
    "Does the [picture] show a number?",
    "Are there any digits?",
)
ITS_COLOR = (
    "What color is it?",
    "Which color is it?",
    "And its color?",
    "What is its color?",
    "And what color is it?",
)
ITS_SHAPE = (
    "What shape is it?",
    "Which shape is it?",
    "And its shape?",
    "What is its shape?",
    "And what shape is it?",
)
ITS_PLACE = (
    "Where is it?",
    "And where is it?",
    "Where is it in the [picture]?",
    "And where?",
    "What is its position?",
)
IS_IT = ("Is it {color}?", "And is it {color}?", "Is its color {color}?")

PLACES: dict[str, tuple[str, ...]] = {
    "top left": (
        "in the top left",
        "in the top left corner",
        "at the top left",
        "in the upper left",
        "in the upper left corner",
    ),
    "top right": (
        "in the top right",
        "in the top right corner",
        "at the top right",
        "in the upper right",
        "in the upper right corner",
    ),
    "bottom left": (
        "in the bottom left",
        "in the bottom left corner",
        "at the bottom left",
        "in the lower left",
        "in the lower left corner",
    ),
    "bottom right": (
        "in the bottom right",
        "in the bottom right corner",
        "at the bottom right",
        "in the lower right",
        "in the lower right corner",
    ),
    "top": ("at the top", "in the top middle", "at the top of the [picture]"),
    "bottom": ("at the bottom", "in the bottom middle", "at the bottom of the [picture]"),
    "left": ("on the left", "on the left side", "at the left"),
    "right": ("on the right", "on the right side", "at the right"),
    "center": ("in the center", "in the middle", "in the centre", "in the middle of the [picture]"),
}

# Of several pictures.
IN_IMAGE = (
    "In Image-{n}: {question}",
    "Image-{n}: {question}",
    "In picture {n}: {question}",
    "In the {nth} picture: {question}",
    "In the {nth} image, {lower}",
)
WHICH_IMAGE = (
    "Which image shows {a_thing}?",
    "Which picture shows {a_thing}?",
    "In which image is {a_thing}?",
    "In which picture do you see {a_thing}?",
    "Which one has {a_thing}?",
    "Which one shows {a_thing}?",
)
WHICH_NUMBER = (
    "Which image shows the number {number}?",
    "Which picture shows {number}?",
    "Which one shows the number {number}?",
    "In which picture do you see {number}?",
)
WHICH_MORE = (
    "Which image has more [shapes]?",
    "Which picture shows more [shapes]?",
    "Which one has more [shapes]?",
    "In which picture are more [shapes]?",
)
NTH = ("first", "second")


def fill(rng: Random, frames: Sequence[str], **values: str | tuple[str, ...]) -> str:
    """A wording with its blanks filled and some words exchanged for others of the same meaning."""
    frame = rng.choice(frames)
    place = values.pop("place", "")
    if isinstance(place, str) and place:
        values["at"] = PLACES[place]
    said = {
        key: value if isinstance(value, str) else rng.choice(value) for key, value in values.items()
    }
    text = frame.format(**said)
    for word, others in SYNONYMS.items():
        text = text.replace(f"[{word}]", rng.choice(others))
    for word in ("gray", "purple", "color"):
        text = text.replace(word, rng.choice(SYNONYMS[word]))
    return _imitate_typing(rng, text)


def _imitate_typing(rng: Random, text: str) -> str:
    """Imitate typing: some leave out the final punctuation or the capital."""
    if rng.random() < 0.15:
        text = text.rstrip("?.")
    if rng.random() < 0.2:
        text = f"{text[:1].lower()}{text[1:]}"
    return text


def pluralize(thing: str) -> str:
    return f"{thing}es" if thing.endswith("cross") else f"{thing}s"


def add_article(thing: str) -> str:
    return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"


def join_names(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"

"""Training samples: conversations about one or two images, and questions that the model must not
answer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageFilter

from training import templates
from training.questions import SceneQuestion, ask
from training.scenes import Scene, draw_scene, random_scene, random_size

MOST_TURNS = 8
LONG = 0.05  # share of conversations that are longer
MOST_TURNS_LONG = 14
STRANGE_WORDS = (
    *("cat", "dog", "person", "man", "woman", "child", "car", "bus", "train", "tree", "flower"),
    *("house", "street", "sky", "sun", "moon", "cloud", "river", "sea", "mountain", "food"),
    *("pizza", "apple", "banana", "table", "chair", "phone", "book", "city", "animal", "bird"),
    *("fish", "horse", "face", "hand", "eye", "hair", "shirt", "hat", "brand", "logo", "text"),
    *("word", "letter", "name", "language", "country", "capital", "France", "China", "history"),
    *("war", "president", "weather", "joke", "story", "poem", "song", "movie", "game", "money"),
    *("price", "time", "date", "year", "age", "code", "program", "Python", "function", "bug"),
    *("error", "computer", "internet", "model", "Discord", "server", "bot", "who", "why", "when"),
    *("you", "your", "me", "my", "hello", "hi", "thanks", "bye", "please", "help", "explain"),
    *("write", "translate", "tell", "love", "think", "feel", "happy", "sad", "cook", "recipe"),
    *("solve", "equation", "plus", "minus", "doctor", "school", "work", "friend", "music"),
)
CHINESE = (
    "一这图中有几个是什么颜色的形状在哪里请看我发内容告诉里面红绿蓝圆方三角多少吗它你好了和数字吧"
)


@dataclass(frozen=True)
class SampleTurn:
    pictures: int  # images that come with the question
    question: str
    answer: str
    kind: str


@dataclass(frozen=True)
class Sample:
    images: tuple[Image.Image, ...]  # RGB, in the order of the conversation
    turns: tuple[SampleTurn, ...]
    scenes: tuple[Scene | None, ...] = ()  # of the images; None: not a generated scene
    first: int = 1  # the number of the first image; higher if older ones are gone


def random_sample(rng: Random) -> Sample:
    (make,) = rng.choices(*zip(*SAMPLE_MAKERS, strict=True))
    sample: Sample = make(rng)
    return sample


def _one_picture(rng: Random) -> Sample:
    scene = random_scene(rng)
    most = MOST_TURNS if rng.random() > LONG else MOST_TURNS_LONG
    turns = tuple(_ask_about(rng, scene, 1, rng.randint(1, most)))
    first = 1 if rng.random() < 0.9 else rng.randint(2, 6)
    return Sample((_draw_randomly(rng, scene),), turns, (scene,), first)


def _ask_about(rng: Random, scene: Scene, pictures: int, count: int) -> Iterator[SampleTurn]:
    focus = None
    for _ in range(count):
        if rng.random() < 0.06:
            yield SampleTurn(pictures, *_strange_turn(rng), "unknown")
            focus = None
        else:
            asked = ask(rng, scene, focus)
            focus = asked.focus
            yield SampleTurn(pictures, asked.question, asked.answer, asked.kind)
        pictures = 0


def _two_at_once(rng: Random) -> Sample:
    scenes = random_scene(rng), random_scene(rng)
    turns = []
    for number in range(rng.randint(1, 3)):
        asked = _ask_to_compare(rng, scenes) or _ask_about_one(rng, scenes)
        turns.append(SampleTurn(0 if number else 2, asked.question, asked.answer, asked.kind))
    return Sample(tuple(_draw_randomly(rng, scene) for scene in scenes), tuple(turns), scenes)


def _one_after_the_other(rng: Random) -> Sample:
    """Two images in turn; a question that names none is about the newest one."""
    scenes = random_scene(rng), random_scene(rng)
    turns = [*_ask_about(rng, scenes[0], 1, rng.randint(1, 2)), *_ask_about(rng, scenes[1], 1, 1)]
    if rng.random() < 0.7:
        asked = _ask_to_compare(rng, scenes) or _ask_about_one(rng, scenes)
        turns.append(SampleTurn(0, asked.question, asked.answer, asked.kind))
    return Sample(tuple(_draw_randomly(rng, scene) for scene in scenes), tuple(turns), scenes)


def _ask_about_one(rng: Random, scenes: tuple[Scene, Scene]) -> SceneQuestion:
    which = rng.randrange(2)
    asked = ask(rng, scenes[which])
    question = asked.question
    framed = rng.choice(templates.IN_IMAGE).format(
        n=which + 1,
        nth=templates.NTH[which],
        question=question,
        lower=f"{question[:1].lower()}{question[1:]}",
    )
    return SceneQuestion(asked.kind, framed, asked.answer)


def _ask_to_compare(rng: Random, scenes: tuple[Scene, Scene]) -> SceneQuestion | None:
    """Ask which of two images shows something, in about half of the cases."""
    if rng.random() < 0.5:
        return None
    which = rng.randrange(2)
    shown, other = scenes[which], scenes[1 - which]
    answer = f"Image-{which + 1}"
    if shown.number and shown.number != other.number:
        question = templates.fill(rng, templates.WHICH_NUMBER, number=shown.number)
        return SceneQuestion("which", question, answer)
    if len(shown.things) > len(other.things) and rng.random() < 0.5:
        return SceneQuestion("which", templates.fill(rng, templates.WHICH_MORE), answer)
    only = {t.key for t in shown.things} - {t.key for t in other.things}
    if not only:
        return None
    thing = templates.add_article(" ".join(rng.choice(sorted(only))))
    return SceneQuestion("which", templates.fill(rng, templates.WHICH_IMAGE, a_thing=thing), answer)


# --- questions that the model must not answer ---------------------------------------------------


def _strange_turn(rng: Random) -> tuple[str, str]:
    """Return a question outside its knowledge, and the answer to it."""
    if rng.random() < 0.15:
        return "".join(rng.choices(CHINESE, k=rng.randint(2, 20))), templates.ENGLISH_ONLY
    return strange_question(rng), templates.UNKNOWN


def strange_question(rng: Random) -> str:
    """Return a question about unknown things, or about nothing in an image."""
    word = strange_word(rng)
    frames = (
        *(f"How many {word}s are there?", f"Is there a {word}?", f"What color is the {word}?"),
        *(f"Where is the {word}?", f"What {word} is this?", f"Do you see a {word}?"),
    )
    if rng.random() < 0.4:
        return rng.choice(frames)
    known = ("what", "is", "the", "of", "a", "in", "how", "are", "this", "picture", "and", "to")
    several = [
        strange_word(rng) if rng.random() < 0.5 else rng.choice(known)
        for _ in range(rng.randint(0, 9))
    ]
    several.insert(rng.randint(0, len(several)), word)
    return " ".join(several).capitalize() + rng.choice("??.!")


def strange_word(rng: Random) -> str:
    if rng.random() < 0.6:
        return rng.choice(STRANGE_WORDS)
    return "".join(rng.choice("abcdefghijklmnoprstuvwy") for _ in range(rng.randint(2, 9)))


def _no_picture(rng: Random) -> Sample:
    asked = ask(rng, random_scene(rng))
    question = asked.question if rng.random() < 0.7 else strange_question(rng)
    return Sample((), (SampleTurn(0, question, templates.NO_PICTURE, "unknown"),))


def _strange_picture(rng: Random) -> Sample:
    question = ask(rng, random_scene(rng)).question
    turn = SampleTurn(1, question, templates.UNKNOWN, "unknown")
    return Sample((_texture(rng),), (turn,), (None,))


def _texture(rng: Random) -> Image.Image:
    """Draw blurred noise in many colours, a stand-in for photographs."""
    grain = rng.choice((4, 8, 16, 32, 64))
    noise = Image.frombytes("RGB", (grain, grain), rng.randbytes(3 * grain * grain))
    picture = noise.resize(random_size(rng), Image.Resampling.BICUBIC)
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 4)))


def _blank(rng: Random) -> Sample:
    """A plain ground without anything on it."""
    scene = Scene(random_scene(rng).ground)
    frames, answer = rng.choice(
        (
            (templates.COUNT_ALL, "0"),
            (templates.DESCRIBE, "Nothing"),
            (templates.HAS_NUMBER, "No"),
            (templates.NUMBER, "I see no number."),
        )
    )
    turn = SampleTurn(1, templates.fill(rng, frames), answer, "blank")
    return Sample((_draw_randomly(rng, scene),), (turn,), (scene,))


def _draw_randomly(rng: Random, scene: Scene) -> Image.Image:
    return draw_scene(scene, random_size(rng))


Make = Callable[[Random], Sample]
SAMPLE_MAKERS: tuple[tuple[Make, float], ...] = (
    (_one_picture, 0.76),
    (_two_at_once, 0.08),
    (_one_after_the_other, 0.08),
    (_no_picture, 0.03),
    (_strange_picture, 0.03),
    (_blank, 0.02),
)

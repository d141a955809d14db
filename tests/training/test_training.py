"""What the eye learns from: that places are told rightly, and that nothing of a sample is lost."""

from random import Random

import numpy as np
import torch

from training import train
from training.auxiliary_loss import COLOR, PLACE, WHAT, AuxiliaryLoss, label_patches
from training.dataloader import SampleBatches
from training.samples import random_sample
from training.scenes import Scene, Thing
from training.tokenizer import IGNORED, encode, train_tokenizer
from training.train_step import compute_losses, normalize

WHITE = (255, 255, 255)


def test_each_place_tells_of_the_thing_that_covers_it() -> None:
    scene = Scene(
        WHITE,
        (
            Thing("star", "red", (255, 0, 0), 0.2, 0.2, 0.15),
            Thing("heart", "blue", (0, 0, 255), 0.8, 0.5, 0.1),
        ),
    )
    classes = label_patches(scene, (200, 200), 8).reshape(8, 8, 4)
    assert [*classes[1, 1, :3]] == [WHAT["star"], COLOR["red"], PLACE["top left"]]
    assert [*classes[4, 6, :3]] == [WHAT["heart"], COLOR["blue"], PLACE["right"]]
    assert not classes[7].any()
    assert classes[1, 1, 3] > classes[4, 6, 3] > 0  # the larger one


def test_digits_are_told_in_their_order() -> None:
    scene = Scene(WHITE, number="47", number_height=0.5)
    what, _, place, _ = label_patches(scene, (200, 200), 8).reshape(8, 8, 4)[4].T
    assert [*what[what > 0]] == sorted(what[what > 0])
    assert {WHAT["4"], WHAT["7"]} == {*what[what > 0]}
    assert {PLACE["0"], PLACE["1"]} == {*place[place > 0]}


def test_of_what_was_not_drawn_nothing_is_told() -> None:
    assert (label_patches(None, (10, 10), 8) == IGNORED).all()
    assert not label_patches(Scene(WHITE), (10, 10), 8).any()


def test_answers_of_a_few_words_are_no_list_in_markdown() -> None:
    rng = Random(3)
    answers = {turn.answer for _ in range(200) for turn in random_sample(rng).turns}
    assert not [a for a in answers if a.endswith(".") and len(a.split()) < 3]


def test_the_loss_is_that_of_the_library() -> None:
    """Of the whole conversation's answers, though it is computed at their places alone."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer(1, 50)
    model = train.build_model(tokenizer).eval()
    samples = SampleBatches(tokenizer, batch=4, side=128, image_tokens=64, longest=384, seed=1)
    batch = samples._draw(Random(5))
    learned = batch.answers != IGNORED
    labels = torch.full_like(batch.ids, IGNORED).flatten()
    labels[batch.asks[learned] + 1] = batch.answers[learned]
    pictures = int((batch.ids == model.config.image_token_id).sum()) // 64
    with torch.no_grad():
        ours, places = compute_losses(model, AuxiliaryLoss(256), batch)
        theirs = model(
            input_ids=batch.ids,
            labels=labels.view_as(batch.ids),
            pixel_values=normalize(batch.images)[:pictures],
        ).loss
    assert torch.allclose(ours, theirs, atol=1e-4)
    assert torch.isfinite(places)


def test_only_answers_are_learned() -> None:
    tokenizer = train_tokenizer(1, 50)
    sample = random_sample(Random(7))
    ids, labels = encode(tokenizer, sample, 64)
    learned = [i for i, label in zip(ids, labels, strict=True) if label != IGNORED]
    assert tokenizer.decode(learned) == "".join(f"{turn.answer}<|im_end|>" for turn in sample.turns)
    assert ids.count(tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>")) == 64 * len(sample.images)
    assert np.array(labels).shape == np.array(ids).shape

"""Vectors of a SigLIP of random numbers: they prove the way, not what a trained one sees."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)

from inference.__main__ import main
from inference.library.image_embeddings import Embedder, Vectors, embedder
from inference.library.image_entry import LibraryError, read_manifest
from inference.library.image_library import LibraryReader, NearestImages

SIDES = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
HEADS = {**SIDES, "num_attention_heads": 2}


@pytest.fixture(scope="session")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("siglip")
    words = {"[PAD]": 0, "[UNK]": 1, "Luoyang": 2, "Map": 3, "of": 4, "noodles": 5}
    config = SiglipConfig(
        text_config={**HEADS, "vocab_size": 8, "max_position_embeddings": 8},
        vision_config={**HEADS, "image_size": 16, "patch_size": 8},
    )
    SiglipModel(config).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]")
    fast.save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 16, "width": 16}).save_pretrained(folder)
    return folder


def vectors_of(model: Path) -> Callable[[Path], NearestImages]:
    return lambda folder: Vectors.load(folder, embedder(os.fspath(model))).nearest


def test_index_makes_vectors_and_the_search_uses_them(folder: Path, siglip: Path) -> None:
    assert main(["pictures", "index", "--folder", str(folder), "--model", str(siglip)]) == 0
    entries = read_manifest(folder)
    embedder = Embedder(siglip)
    vectors = Vectors.load(folder, embedder)
    vectors.threshold = -1.0  # all of them
    near = vectors.nearest("Map of Luoyang")
    assert {name for name, _ in near} == {entry.sha256 for entry in entries}
    assert all(-1.001 < share < 1.001 for _, share in near)
    assert [share for _, share in near] == sorted((share for _, share in near), reverse=True)
    assert asyncio.run(LibraryReader(folder, vectors_of(siglip)).current()).nearest is not None


async def test_without_its_vectors_words_are_enough(
    folder: Path, siglip: Path, tmp_path: Path
) -> None:
    with pytest.raises(LibraryError, match="pictures index"):
        Vectors.load(folder, Embedder(siglip))
    for model in (siglip, tmp_path / "nothing"):
        library = await LibraryReader(folder, vectors_of(model)).current()
        assert library.nearest is None
        assert library.entries

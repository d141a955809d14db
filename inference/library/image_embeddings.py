"""Pictures and texts as vectors of one space, by a model of SigLIP's family, in any language.

`index` makes the vectors and stores them beside the manifest. How near a text has to be is learnt
from the library itself: nearer than captions are to pictures of something else.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

from inference.library.eligibility import have_same_subject
from inference.library.image_entry import ImageEntry, LibraryError, file_of
from inference.library.image_file import Unreadable, decode, read_file
from inference.models import ModelError
from inference.models.model_store import locate

NAME = "pictures.vectors.safetensors"
BATCH_SIZE = 16
QUANTILE = 0.99  # of what wrong pictures reach
MAX_CALIBRATED = 300  # captions and pictures


class Embedder:
    def __init__(self, folder: Path) -> None:
        """Raises LibraryError."""
        try:
            self._model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._pixels: Any = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, ImportError) as error:
            raise LibraryError(f"INFERENCE_PICTURES_MODEL cannot be loaded: {error}") from error
        if not hasattr(self._model, "get_image_features"):
            raise LibraryError(f"{folder} compares no pictures with texts; name a SigLIP model")
        self.name = folder.name
        self._length = int(self._model.config.text_config.max_position_embeddings)

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """Return [texts, width], each of length 1."""
        tokens = self._tokenizer(  # padded, as the family was trained
            list(texts),
            padding="max_length",
            max_length=self._length,
            truncation=True,
            return_tensors="pt",
        )
        return _normalize(self._model.get_text_features(input_ids=tokens["input_ids"]))

    @torch.inference_mode()
    def images(self, images: Sequence[Image.Image]) -> Tensor:
        """Return [images, width], each of length 1."""
        pixels = self._pixels(images=list(images), return_tensors="pt")
        return _normalize(self._model.get_image_features(**pixels))


def embedder(model: str) -> Embedder:
    """Load one by a known name or a folder. Raises LibraryError."""
    try:
        return Embedder(locate(model))
    except ModelError as error:
        raise LibraryError(f"INFERENCE_PICTURES_MODEL: {error}") from error


class Vectors:
    """The vectors of a library's pictures, and how near a text is to each."""

    def __init__(
        self, embedder: Embedder, names: Sequence[str], vectors: Tensor, threshold: float
    ) -> None:
        self._embedder = embedder
        self._names = names  # SHA-256 of files
        self._vectors = vectors
        self.threshold = threshold

    @classmethod
    def load(cls, folder: Path, embedder: Embedder) -> "Vectors":
        """Raises LibraryError where `index` did not run with this model."""
        try:
            with safe_open(folder / NAME, framework="pt") as file:
                about = file.metadata() or {}
                vectors = file.get_tensor("vectors")
        except (OSError, SafetensorError) as error:
            raise LibraryError("no vectors are there; run: inference pictures index") from error
        if about.get("model") != embedder.name:
            raise LibraryError("the vectors are another model's; run: inference pictures index")
        return cls(embedder, json.loads(about["names"]), vectors, float(about["threshold"]))

    def save(self, folder: Path) -> None:
        about = {
            "model": self._embedder.name,
            "names": json.dumps(list(self._names)),
            "threshold": str(self.threshold),
        }
        new = folder / f".{NAME}.new"
        save_file({"vectors": self._vectors.contiguous()}, new, about)
        new.replace(folder / NAME)

    def nearest(self, text: str) -> Sequence[tuple[str, float]]:
        near = (self._vectors @ self._embedder.texts([text])[0]).tolist()
        found = [pair for pair in zip(self._names, near, strict=True) if pair[1] >= self.threshold]
        return sorted(found, key=lambda pair: -pair[1])


def embed_library(folder: Path, entries: Sequence[ImageEntry], embedder: Embedder) -> Vectors:
    """Embed every picture that can be read, and learn how near is near enough."""
    found = [each for each in _read(folder, entries) if each[0].sha256]
    if not found:
        raise LibraryError("no picture can be read")
    parts = [found[at : at + BATCH_SIZE] for at in range(0, len(found), BATCH_SIZE)]
    vectors = torch.cat([embedder.images([image for _, image in part]) for part in parts])
    texts = torch.cat([embedder.texts([entry.caption for entry, _ in part]) for part in parts])
    kept = [entry for entry, _ in found]
    threshold = _threshold(kept, texts @ vectors.T)
    return Vectors(embedder, [entry.sha256 for entry in kept], vectors, threshold)


def _threshold(entries: Sequence[ImageEntry], near: Tensor) -> float:
    some = range(0, len(entries), len(entries) // MAX_CALIBRATED + 1)
    wrong = [
        float(near[text, picture])
        for text, picture in product(some, some)
        if text != picture and not have_same_subject(entries[text], entries[picture])
    ]
    return float(torch.tensor(wrong).quantile(QUANTILE)) if wrong else 1.0


def _read(folder: Path, entries: Sequence[ImageEntry]) -> Iterator[tuple[ImageEntry, Image.Image]]:
    for entry in entries:
        if path := file_of(folder, entry):
            try:
                yield entry, decode(read_file(path))
            except Unreadable:
                continue


def _normalize(features: Any) -> Tensor:
    pooled: Tensor = getattr(features, "pooler_output", features)
    return torch.nn.functional.normalize(pooled.float(), dim=-1)

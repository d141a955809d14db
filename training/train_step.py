"""The gradients of one batch: of its answers, and of the auxiliary loss of its images.

On a GPU they are a captured graph, since launching the kernels of such a small model one by one
takes several times as long as computing them.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from training.auxiliary_loss import AuxiliaryLoss
from training.dataloader import Batch
from training.tokenizer import IGNORED

AUXILIARY_WEIGHT = 0.3  # weight of the auxiliary loss
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as InternVL's


class Gradients:
    def __init__(self, model: Any, auxiliary: AuxiliaryLoss, like: Batch) -> None:
        """All batches have the shapes of `like`."""
        self._model = model
        self._auxiliary = auxiliary
        self._graph: torch.cuda.CUDAGraph | None = None
        if model.device.type == "cuda":
            self._batch = Batch(*(each.cuda() for each in like))
            self._capture()

    def compute(self, batch: Batch) -> Tensor:
        """Store the gradients in the parameters; return the loss of the answers."""
        if self._graph is None:
            self._zero_gradients()
            return self._backward(batch)
        for here, new in zip(self._batch, batch, strict=True):
            here.copy_(new, non_blocking=True)
        self._graph.replay()
        return self._loss

    def _capture(self) -> None:
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        with torch.cuda.stream(aside):
            for _ in range(3):  # so that the libraries allocate what they need at first use
                self._backward(self._batch)
        aside.synchronize()
        self._zero_gradients()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._loss = self._backward(self._batch)

    def _zero_gradients(self) -> None:
        self._model.zero_grad()
        self._auxiliary.zero_grad()

    def _backward(self, batch: Batch) -> Tensor:
        answers, places = compute_losses(self._model, self._auxiliary, batch)
        (answers + AUXILIARY_WEIGHT * places).backward()  # type: ignore[no-untyped-call]
        return answers.detach()


def compute_losses(model: Any, auxiliary: AuxiliaryLoss, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the loss of the answers and the auxiliary loss.

    On a GPU the arithmetic is bfloat16, so that rounding the weights later costs nothing.
    """
    device = model.device.type
    with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
        seen = model.get_image_features(pixel_values=normalize(batch.images)).pooler_output
        read = _insert_image_tokens(model, batch.ids, seen.flatten(0, 1))
        hidden = model.model.language_model(inputs_embeds=read, use_cache=False).last_hidden_state
        scores = model.lm_head(hidden.flatten(0, 1).index_select(0, batch.asks))
        answers = cross_entropy(scores.float(), batch.answers, ignore_index=IGNORED)
        return answers, auxiliary(seen, batch.classes)


def _insert_image_tokens(model: Any, ids: Tensor, seen: Tensor) -> Tensor:
    """Insert the image tokens `seen` [tokens, width] into the embeddings [samples, length, width],
    by operations whose shapes do not depend on `ids`."""
    words = model.get_input_embeddings()(ids)
    pictures = (ids == model.config.image_token_id).flatten()
    elsewhere = torch.arange(ids.numel(), device=ids.device) % len(seen)
    nth = torch.where(pictures, pictures.cumsum(0) - 1, elsewhere)
    spread = seen.to(words.dtype).index_select(0, nth).view_as(words)
    return torch.where(pictures.view(*ids.shape, 1), spread, words)


def normalize(images: Tensor) -> Tensor:
    """Convert uint8 [n, height, width, 3] to float32 [n, 3, height, width], like the processor."""
    channels = [
        (images[..., at].float() / 255 - mean) / std
        for at, (mean, std) in enumerate(zip(MEAN, STD, strict=True))
    ]
    return torch.stack(channels, 1)

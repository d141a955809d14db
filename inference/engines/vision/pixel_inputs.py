"""Pictures for a model that reads them with its own forward pass, beside the ids of its prompt."""

import asyncio
from collections.abc import Sequence

import torch
from torch import Tensor

from inference.engines.base import Message
from inference.engines.vision.image_tokens import VisionFamily

Pixels = dict[str, Tensor]  # arguments of the model's `forward`


class PixelInputs:
    def __init__(self, frames: VisionFamily) -> None:
        self._frames = frames

    async def pixels(self, messages: Sequence[Message], prompt: Sequence[int]) -> Pixels:
        """Return the pixels of all pictures in `messages`. Raises BadRequest for a broken one."""
        return await asyncio.to_thread(self._pixels, messages, prompt)

    def _pixels(self, messages: Sequence[Message], prompt: Sequence[int]) -> Pixels:
        seen = [
            self._frames.pixels(image, len(message.images))
            for message in messages
            for image in message.images
        ]
        joined = {name: torch.cat([each[name] for each in seen]) for name in seen[0]}
        kinds = torch.tensor([[int(token == self._frames.blank) for token in prompt]])
        return {**joined, "mm_token_type_ids": kinds}

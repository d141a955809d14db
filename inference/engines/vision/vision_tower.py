"""The vision tower: tiles in, features out, as captured graphs on a GPU.

Launched one by one, the kernels of a pass keep the interpreter busy for longer than the GPU, and
the thread that writes the running answers waits for the interpreter. A graph is one launch.
"""

from typing import Any

import torch
from torch import Tensor

from inference.engines.vision.image_tokens import TiledFamily

SIZES = (1, 2, 4, 8, 16)  # tiles of a pass
TILES_AT_ONCE = SIZES[-1]
FILLED = 3 / 4  # of a pass, at least: fewer tiles take the next smaller one, and another


class VisionTower:
    def __init__(self, whole: Any, frames: TiledFamily) -> None:
        """Capture the graphs of the vision tower. Nothing else may run on the GPU meanwhile."""
        self._whole = whole
        self._frames = frames
        self._passes: dict[int, _Captured] = {}
        if whole.device.type == "cuda" and frames.captured:
            self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            pool = torch.cuda.graph_pool_handle()
            for size in reversed(SIZES):
                tiles = torch.zeros(size, 3, *frames.tile, device=whole.device, dtype=whole.dtype)
                self._passes[size] = _Captured(self._through, tiles, self._stream, pool)

    @torch.inference_mode()
    def see(self, tiles: Tensor) -> Tensor:
        """[tiles, 3, height, width] → [tiles, tokens, width], on the device and computed."""
        if not self._passes:
            return self._plainly(tiles)
        with torch.cuda.stream(self._stream):
            tiles = tiles.pin_memory().to(self._whole.device, self._whole.dtype, non_blocking=True)
            seen = torch.cat(
                [self._run_captured(some) for some in torch.split(tiles, passes(len(tiles)))]
            )
        self._stream.synchronize()
        return seen

    def _run_captured(self, tiles: Tensor) -> Tensor:
        size = next(size for size in SIZES if size >= len(tiles))
        return self._passes[size].of(tiles)

    def _plainly(self, tiles: Tensor) -> Tensor:
        tiles = tiles.to(self._whole.device)
        seen = torch.cat([self._through(some) for some in torch.split(tiles, TILES_AT_ONCE)])
        if seen.is_cuda:
            torch.cuda.current_stream().synchronize()
        return seen

    @torch.inference_mode()
    def _through(self, tiles: Tensor) -> Tensor:
        return self._frames.features(self._whole, tiles.to(self._whole.dtype))


def passes(tiles: int) -> list[int]:
    """Return the number of tiles in each pass: five go in one of four and one of one, thirteen in
    one of sixteen that is filled up.
    """
    found = []
    while tiles:
        size = next((size for size in SIZES if FILLED * size <= tiles <= size), 0)
        size = size or max(size for size in SIZES if size <= tiles)
        found.append(min(size, tiles))
        tiles -= found[-1]
    return found


class _Captured:
    def __init__(self, through: Any, tiles: Tensor, stream: Any, pool: Any) -> None:
        self._tiles = tiles
        with torch.cuda.stream(stream):
            through(tiles)  # so that the libraries have what they make at first use
        stream.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=pool, stream=stream):
            self._seen: Tensor = through(tiles)

    def of(self, tiles: Tensor) -> Tensor:
        """Run the pass on the stream that it was captured on."""
        self._tiles[: len(tiles)] = tiles
        self._graph.replay()
        return self._seen[: len(tiles)].clone()

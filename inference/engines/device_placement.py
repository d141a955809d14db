"""Where a model's weights go and in what form: one device, several, or fewer bits."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Literal

import torch

from inference.engines.base import CannotLoad
from inference.engines.weight_size import GIB, weight_bytes

Quantize = Literal["", "8bit", "4bit", "fp8"]

FP8_CAPABILITY = (8, 9)  # CUDA's compute capability from which GPUs multiply in FP8

# Where each device ends, in accelerate's words: `{0: "20GiB", "cpu": "64GiB"}`.
Most = Mapping[int | str, str]


@dataclass(frozen=True, slots=True)
class Placement:
    quantize: Quantize = ""
    # Over all cards, then memory, then disk, as much as each holds; else all on one device.
    spread: bool = False
    most: Most = field(default_factory=dict)  # of each device; empty: what is free there

    @property
    def by_bitsandbytes(self) -> bool:
        """Return whether bitsandbytes quantizes; on a CPU, torch itself has an 8-bit product."""
        on_cpu = not self.spread and not torch.cuda.is_available()
        return self.quantize == "4bit" or (self.quantize == "8bit" and not on_cpu)

    def check(self, folder: Path, *, sees: bool, adapted: bool) -> None:
        """CannotLoad, with the way out, where the load would fail or fail later."""
        for asked, package in ((self.by_bitsandbytes, "bitsandbytes"), (adapted, "peft")):
            if asked and find_spec(package) is None:
                raise CannotLoad(f"this needs {package}, which is missing: pip install {package}")
        if self.spread and (sees or adapted):
            what = "a model that sees" if sees else "an adapter: merge it into its model first"
            raise CannotLoad(f"INFERENCE_SPREAD does not work with {what}")
        if self.quantize == "fp8":
            self._check_fp8()
        if not self.spread and torch.cuda.is_available():
            self._check_card(folder)

    def _check_fp8(self) -> None:
        if self.spread:
            raise CannotLoad(
                "INFERENCE_QUANTIZE=fp8 does not work with INFERENCE_SPREAD: take 8bit or 4bit"
            )
        if not torch.cuda.is_available() or torch.cuda.get_device_capability() < FP8_CAPABILITY:
            raise CannotLoad(
                "INFERENCE_QUANTIZE=fp8 needs a GPU that multiplies in FP8 (compute capability 8.9 "
                "or more, such as L4, RTX 4090, H100): take 8bit or 4bit"
            )

    def _check_card(self, folder: Path) -> None:
        need, (_, has) = weight_bytes(folder, self.quantize), torch.cuda.mem_get_info()
        if need > has:
            raise CannotLoad(
                f"the weights take {need / GIB:.1f} GiB, the card has {has / GIB:.1f}. "
                "INFERENCE_QUANTIZE=4bit makes them smaller; INFERENCE_SPREAD=true lays them over "
                "all cards and memory, for one answer at a time; a server such as vLLM "
                "(INFERENCE_ENGINE=openai) splits them over several cards, and is fast"
            )

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the library's `from_pretrained`."""
        found: dict[str, Any] = {"device_map": "cuda" if torch.cuda.is_available() else None}
        if self.spread:
            found["device_map"] = "auto"
            found["offload_folder"] = f"{gettempdir()}/commonroom-offload"
            if self.most:
                found["max_memory"] = dict(self.most)
        if self.by_bitsandbytes:
            found["quantization_config"] = self._bits()
        return found

    def _bits(self) -> Any:
        from transformers import BitsAndBytesConfig  # noqa: PLC0415

        if self.quantize == "8bit":
            # It would say at each product that it computes in float16.
            logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
            return BitsAndBytesConfig(load_in_8bit=True)
        return BitsAndBytesConfig(  # as QLoRA (arXiv:2305.14314) has it
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )


ONE_DEVICE = Placement()

"""Loads a model's folder into memory and reports the progress."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoTokenizer,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
)
from transformers.utils import logging as library_logging

from inference.engines.base import CannotLoad
from inference.engines.cpu_linear import shrink, speed_up_prefill
from inference.engines.device_placement import ONE_DEVICE, Placement
from inference.engines.vision.image_tokens import FAMILIES, VisionFamily

log = logging.getLogger(__name__)

DTYPE = torch.bfloat16

Progress = Callable[[float, str], None]  # 0 to 1, and what is being done


@dataclass(frozen=True, slots=True)
class LoadedModel:
    model: Any  # a causal language model
    tokenizer: Any
    whole: Any = None  # with its vision tower, where it sees

    @property
    def in_batch(self) -> bool:
        """Return whether pictures, if the model sees them, are batched like text."""
        return self.whole is not self.model

    def frames(self, folder: Path, context_tokens: int) -> VisionFamily | None:
        """Return how pictures stand in the model's text, if it sees."""
        if self.whole is None:
            return None
        config = self.whole.config
        return FAMILIES[config.model_type](folder, self.tokenizer, config, context_tokens)

    @property
    def context_tokens(self) -> int:
        """The context length that the model was trained for, in tokens."""
        return int(self.model.config.get_text_config().max_position_embeddings)

    @property
    def vocabulary(self) -> int:
        return int(self.model.get_input_embeddings().num_embeddings)

    @property
    def end_ids(self) -> set[int]:
        """Every id the checkpoint's own files name as an end."""
        named = self.model.generation_config.eos_token_id
        ids = set(named) if isinstance(named, list) else {named}
        return {i for i in ids | {self.tokenizer.eos_token_id} if i is not None}


def load(
    folder: Path, adapter: Path | None, report: Progress, placement: Placement = ONE_DEVICE
) -> LoadedModel:
    """Reads `folder` (safetensors), with a LoRA `adapter` where one is given.

    Never touches the network. Raises OSError or ValueError for a folder that is no model, and
    CannotLoad for what this machine cannot do with it.
    """
    report(0.0, "reading the tokenizer")
    family = find_vision_family(folder)
    placement.check(folder, sees=family is not None, adapted=adapter is not None)
    if placement.quantize == "fp8" and family is not None and not family.in_batch:
        raise CannotLoad(
            "INFERENCE_QUANTIZE=fp8 does not work with this model, which sees pictures outside of "
            "the batch: leave it unset, or take 8bit or 4bit"
        )
    tokenizer = _tokenizer(folder)
    kind = AutoModelForImageTextToText if family else AutoModelForCausalLM
    model = _load_weights(folder, report, kind, placement)
    if adapter is not None:
        report(0.9, "laying the adapter over it")
        model = _apply_adapter(model, adapter, merged=not placement.by_bitsandbytes)
    if placement.spread:
        return LoadedModel(model.eval(), tokenizer)
    if placement.quantize == "8bit" and not placement.by_bitsandbytes:
        shrink(model.eval())
    fp8 = placement.quantize == "fp8"
    if family is None:
        return LoadedModel(for_this_device(model.eval(), fp8=fp8), tokenizer)
    if family.in_batch:
        decoder = extract_decoder(model.eval())
        return LoadedModel(for_this_device(decoder, fp8=fp8), tokenizer, whole=model)
    speed_up_prefill(model)
    return LoadedModel(model.eval(), tokenizer, whole=model)


def find_vision_family(folder: Path) -> type[VisionFamily] | None:
    """Return the vision family of the model; None for a model without vision. Raises CannotLoad for
    an unsupported one.
    """
    name = AutoConfig.from_pretrained(folder, local_files_only=True).model_type
    if name in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES and not (
        name in FAMILIES or name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    ):
        raise CannotLoad(
            f"models of the family {name} do not run in this process, as "
            f"{', '.join(FAMILIES)} do: serve it with vLLM or the like, and ask that server "
            "(INFERENCE_ENGINE=openai)"
        )
    return FAMILIES.get(name)


def _tokenizer(folder: Path) -> Any:
    """Load the tokenizer with the chat template that older checkpoints keep beside their image
    processor.
    """
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    beside = folder / "chat_template.json"
    if not tokenizer.chat_template and beside.is_file():
        tokenizer.chat_template = json.loads(beside.read_text("utf-8"))["chat_template"]
    return tokenizer


def extract_decoder(whole: Any) -> Any:
    """Return the causal language model of a vision model; they share their weights."""
    text = whole.model.get_decoder()
    with torch.device("meta"):
        decoder = AutoModelForCausalLM.from_config(text.config)
    decoder.model, decoder.lm_head, decoder.config = text, whole.lm_head, text.config
    decoder.generation_config = whole.generation_config
    return decoder.eval()


def for_this_device(model: Any, *, fp8: bool = False) -> Any:
    """Change `model` in place to what runs fastest on its device; on a GPU, with FP8 weights."""
    if model.device.type == "cuda":
        # Triton exists for CUDA alone.
        from inference.engines.gpu import attention, fp8_linear, fused_layers  # noqa: PLC0415

        chosen = attention.choose(model.config)
        attention.apply(model, chosen)
        fused_layers.fuse(model, in_place=chosen == attention.OURS)
        if fp8:
            fp8_linear.quantize(model)
    elif speed_up_prefill(model):
        log.info("no bfloat16 arithmetic here: prefill multiplies in float32")
    return model


def _load_weights(folder: Path, report: Progress, kind: Any, placement: Placement) -> Any:
    library_logging.set_tqdm_hook(
        lambda _factory, args, kwargs: _Bar(*args, report=report, **kwargs)
    )
    try:
        return kind.from_pretrained(
            folder,
            dtype=DTYPE,
            attn_implementation="sdpa",
            local_files_only=True,
            **placement.arguments(),
        )
    finally:
        library_logging.set_tqdm_hook(None)


def _apply_adapter(model: Any, adapter: Path, *, merged: bool) -> Any:
    """Merged, a LoRA costs nothing; into quantized weights it would be rounded away."""
    from peft import PeftModel  # noqa: PLC0415  (seconds to import, and few need it)

    laid = PeftModel.from_pretrained(model, str(adapter))
    return laid.merge_and_unload() if merged else laid.get_base_model()


class _Bar:
    """A replacement for the library's progress bar."""

    def __init__(self, items: Any = (), *, report: Progress, total: int | None = None, **_: Any):
        self._items = items
        self._total = total or (len(items) if hasattr(items, "__len__") else 0)
        self._report = report

    def __iter__(self) -> Any:
        for done, item in enumerate(self._items, 1):
            yield item
            if self._total:
                self._report(0.1 + 0.8 * done / self._total, "reading the weights")

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_kwargs: None

"""Every family that sees in this process, as a tiny checkpoint with random weights."""

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import torch
from PIL import Image as Pillow
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    PreTrainedTokenizerFast,
    Qwen2VLImageProcessorPil,
    SmolVLMImageProcessorPil,
)

from common.doctor_report import Finding
from inference.config import WorkerSettings
from inference.engines import engine_checks
from inference.engines.base import BadRequest, CannotLoad, Image, Message, Request
from inference.engines.model_loader import load
from inference.engines.transformers_engine import TransformersEngine
from jobqueue.schema import Sampling

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONTEXT, NEW = 1024, 6
IMAGE, PAD = "<image>", "<|image_pad|>"
MARKUP = [
    "<|im_start|>", "<|im_end|>", "<end_of_utterance>", "<|vision_start|>", "<|vision_end|>", PAD,
    IMAGE, "<fake_token_around_image>", "<global-img>",
    *(f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)),
]  # fmt: skip

# Of HuggingFaceTB/SmolVLM-256M-Instruct, which knows no content but parts; and of Qwen2-VL.
SMOL_TEMPLATE = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
QWEN_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for content in message['content'] %}{% if content['type'] == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ content['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": CONTEXT,
    "tie_word_embeddings": False,
}
MROPE = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 3, 3]}
VISION: dict[str, dict[str, Any]] = {
    "smolvlm": {"hidden_size": 32, "image_size": 64, "patch_size": 8},
    "qwen2_vl": {"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "patch_size": 8},
    "qwen2_5_vl": {"hidden_size": 32, "out_hidden_size": 32, "depth": 2, "num_heads": 2},
    "qwen3_vl": {"hidden_size": 32, "out_hidden_size": 32, "depth": 2, "num_heads": 2},
}
VISION["smolvlm"] |= {"intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION["qwen2_5_vl"] |= {"intermediate_size": 64, "patch_size": 8, "window_size": 32}
VISION["qwen2_5_vl"] |= {"fullatt_block_indexes": [1]}
VISION["qwen3_vl"] |= {"intermediate_size": 64, "patch_size": 8, "num_position_embeddings": 64}
VISION["qwen3_vl"] |= {"deepstack_visual_indexes": [0]}
VISION["idefics3"] = VISION["smolvlm"]


def checkpoint(family: str, folder: Path) -> Path:
    """As `save_pretrained` and the hub have them."""
    smol = family in ("smolvlm", "idefics3")
    tokenizer = _tokenizer(None if smol else QWEN_TEMPLATE)
    tokenizer.save_pretrained(folder)
    image = IMAGE if smol else PAD
    text = {**TEXT, "vocab_size": len(tokenizer), "pad_token_id": 0}
    config = AutoConfig.for_model(
        family,
        text_config=text | ({"model_type": "llama"} if smol else {"rope_parameters": MROPE}),
        vision_config=VISION[family],
        image_token_id=tokenizer.convert_tokens_to_ids(image),
        tie_word_embeddings=False,
        **({"scale_factor": 2} if smol else {}),
    )
    model = AutoModelForImageTextToText.from_config(config)
    torch.manual_seed(0)
    for parameter in model.parameters():
        if parameter.dim() > 1:  # so large that pictures matter, and the best token is far ahead
            torch.nn.init.normal_(parameter, std=2 * parameter[0].numel() ** -0.5)
    model.save_pretrained(folder)
    if smol:
        sizes = {"size": {"longest_edge": 256}, "max_image_size": {"longest_edge": 64}}
        SmolVLMImageProcessorPil(**sizes).save_pretrained(folder)
        template = json.dumps({"chat_template": SMOL_TEMPLATE})
        (folder / "chat_template.json").write_text(template, "utf-8")
    else:
        Qwen2VLImageProcessorPil(
            patch_size=8, size={"shortest_edge": 16 * 16, "longest_edge": 1 << 20}
        ).save_pretrained(folder)
    return folder


def _tokenizer(template: str | None) -> Any:
    """Of bytes, with the markup of all families."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.Fuse()  # so that every token is a letter
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|im_end|>", chat_template=template
    )
    fast.add_tokens(MARKUP, special_tokens=True)
    return fast


@dataclass(frozen=True)
class Seeing:
    family: str
    engine: TransformersEngine

    async def said(self, *messages: Message) -> tuple[str, int]:
        """And how many tokens it was asked with."""
        sampling = Sampling(temperature=0.0, repetition_penalty=1.0, max_tokens=NEW)
        request = Request("r1", "c1", messages, sampling)
        chunks = [chunk async for chunk in self.engine.generate(request)]
        assert chunks[-1].usage is not None
        return "".join(chunk.text for chunk in chunks), chunks[-1].usage.prompt_tokens


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="session",
    params=["smolvlm", "idefics3", "qwen2_vl", "qwen2_5_vl", "qwen3_vl"],
)
async def seeing(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Seeing]:
    folder = checkpoint(request.param, tmp_path_factory.mktemp(request.param))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inference.engines.model_loader.DTYPE", torch.float32)  # exact on any machine
        async with TransformersEngine(
            model=request.param, folder=folder, slots=2, context_tokens=CONTEXT
        ) as engine:
            yield Seeing(request.param, engine)


def picture(width: int, height: int, label: str = "") -> Image:
    written = io.BytesIO()
    Pillow.radial_gradient("L").resize((width, height)).convert("RGB").save(written, "PNG")
    return Image(written.getvalue(), "image/png", label)


TALK = (
    Message("system", "Look."),
    Message("user", "What?", (picture(200, 90, "Image-1"), picture(40, 70, "Image-2"))),
    Message("assistant", "Two."),
    Message("user", "And?", (picture(64, 64, "Image-3"),)),
)


def library(seeing: Seeing, *messages: Message) -> tuple[str, int]:
    """What its own `generate` says, given the same pixels."""
    ready, folder = seeing.engine._ready, seeing.engine._folder
    assert ready is not None
    frames = ready.loaded.frames(folder, CONTEXT)
    assert frames is not None
    theirs = AutoModelForImageTextToText.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="sdpa"
    ).eval()
    prompt = torch.tensor([ready.template.encode(messages)])
    shown = [frames.pixels(image, len(m.images)) for m in messages for image in m.images]
    along = 1 if frames.in_batch else 0
    pixels = {
        name: torch.cat([each[name] for each in shown], along)
        for each in shown[:1]
        for name in each
    }
    if shown and not frames.in_batch:
        pixels["mm_token_type_ids"] = (prompt == frames.blank).int()
    said = theirs.generate(
        input_ids=prompt,
        attention_mask=torch.ones_like(prompt),
        max_new_tokens=NEW,
        do_sample=False,
        eos_token_id=sorted(ready.end_ids),
        pad_token_id=0,
        **pixels,
    )[0, prompt.size(1) :]
    return ready.loaded.tokenizer.decode(said, skip_special_tokens=True), prompt.size(1)


async def test_answers_are_those_of_the_library(seeing: Seeing) -> None:
    """Also after another conversation, with pictures and without, and one that was left."""
    assert seeing.engine.capabilities == {"chat", "vision"}
    assert seeing.engine.slots == (1 if seeing.family.startswith("qwen") else 2)
    sampling = Sampling(temperature=0.0, max_tokens=400)
    left = seeing.engine.generate(Request("left", "c1", TALK, sampling))
    await anext(left)
    await left.aclose()
    for messages in (TALK, TALK[:2], (Message("user", "No picture at all?"),)):
        assert await seeing.said(*messages) == library(seeing, *messages)


async def test_pictures_matter_keep_to_their_share_and_are_refused_alone(seeing: Seeing) -> None:
    small, large = picture(64, 64), picture(600, 500)
    answers = [await seeing.said(Message("user", "What?", (each,))) for each in (small, large)]
    assert answers[0][0] != answers[1][0]
    assert answers[0][1] <= answers[1][1] <= CONTEXT // 3 + 80
    for broken in (b"GIF89a" + bytes(40), small.data[:200]):
        with pytest.raises(BadRequest, match="picture"):
            await seeing.said(Message("user", "What?", (Image(broken, "image/png"),)))
    assert await seeing.said(Message("user", "What?", (small,))) == answers[0]


async def test_a_doctor_tells_how_it_sees(seeing: Seeing) -> None:
    folder = seeing.engine._folder
    finding = await _of_pictures(folder)
    assert ("one answer at a time" in finding.found) == (seeing.engine.slots == 1)


async def _of_pictures(folder: Path) -> Finding:
    findings = await engine_checks.check_engine(WorkerSettings(model=str(folder)), hashes=False)
    return next(each for each in findings if each.what == "pictures")


async def test_another_family_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llava"}', "utf-8")
    save_file({"weight": torch.zeros(1)}, tmp_path / "model.safetensors")
    assert "llava" in (await _of_pictures(tmp_path)).found
    with pytest.raises(CannotLoad, match=r"family llava .*INFERENCE_ENGINE=openai"):
        load(tmp_path, None, lambda *_: None)

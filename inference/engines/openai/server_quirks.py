"""How kinds of servers differ where OpenAI's protocol leaves it open.

A server is known by the `owned_by` of the models that it lists, or is named by the operator where
a router hides it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ServerQuirks:
    """Names of parameters; an empty one is not taken."""

    name: str
    top_k: str = ""
    every_k: int = 0  # how it is told to consider every token
    repetition_penalty: str = ""
    with_penalty: Mapping[str, object] = field(default_factory=dict)
    thinking: str = ""  # the parameter that turns it on or off
    always: Mapping[str, object] = field(default_factory=dict)  # what every question is sent with
    shows_special: bool = False  # it can be told to leave special tokens in the text
    # What makes it write on at the last message instead of answering it; None: nothing does.
    write_on: Mapping[str, object] | None = None


PLAIN = ServerQuirks("openai")

FLAVOURS = {
    flavour.name: flavour
    for flavour in (
        PLAIN,
        ServerQuirks(
            "vllm",
            thinking="chat_template_kwargs",
            shows_special=True,
            top_k="top_k",
            every_k=-1,
            repetition_penalty="repetition_penalty",
            write_on={"continue_final_message": True, "add_generation_prompt": False},
        ),
        ServerQuirks(
            "sglang",
            thinking="chat_template_kwargs",
            shows_special=True,
            top_k="top_k",
            every_k=-1,
            repetition_penalty="repetition_penalty",
            write_on={"continue_final_message": True},
        ),
        # An answer of the assistant's at the end is a beginning to these two.
        ServerQuirks(
            "lmdeploy",
            thinking="enable_thinking",
            shows_special=True,
            top_k="top_k",
            repetition_penalty="repetition_penalty",
            write_on={},
        ),
        ServerQuirks(
            "llamacpp",
            thinking="chat_template_kwargs",
            top_k="top_k",
            repetition_penalty="repeat_penalty",
            with_penalty={"repeat_last_n": 32_768},  # its own is 64; elsewhere all tokens count
            # It looks whether anybody still listens when it has something to tell, so that without
            # this a long prompt is read to its end for nobody.
            always={"return_progress": True},
            write_on={},
        ),
    )
}

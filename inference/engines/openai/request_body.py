"""The body of a request, for the kind of server."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from inference.engines.base import Image, Message, Request, ToolSpec, UnsupportedRequest

# How kinds of servers differ where OpenAI's protocol leaves it open.
#
# A server is known by the `owned_by` of the models that it lists, or is named by the operator
# where a router hides it.


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


Json = dict[str, object]

# Servers read special tokens in people's words too. An invisible sign within makes them plain.
SPECIAL = re.compile(r"(?<=<)(?=\|\w{1,40}\|>|｜|/?s>|(?:start|end)_of_turn>)|(?<=\[)(?=/?INST\])")
AS_THEY_ARE = ("temperature", "top_p", "seed")


def chat(request: Request, *, model: str, flavour: ServerQuirks, max_tokens: int) -> Json:
    """Return the body for `/chat/completions`.

    Raises UnsupportedRequest where this server cannot do what is asked.
    """
    sampling = request.sampling
    body: Json = {
        "model": model,
        "messages": messages(request.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": max_tokens,
        **flavour.always,
        **written_on(request.messages, flavour),
        **_thinking(request.thinking, flavour),
    }
    if request.visible_tokens and flavour.shows_special:
        body["skip_special_tokens"] = False
    if request.tools:
        body["tools"] = [_tool(offer) for offer in request.tools]
    for name in AS_THEY_ARE:
        if (value := getattr(sampling, name)) is not None:
            body[name] = value
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.top_k is not None:
        body[_accepted_name(flavour, "top_k")] = sampling.top_k or flavour.every_k
    if sampling.repetition_penalty is not None:
        body[_accepted_name(flavour, "repetition_penalty")] = sampling.repetition_penalty
        body |= flavour.with_penalty
    return body


def probe(model: str) -> Json:
    """The shortest question that tells of a tool."""
    offer = ToolSpec("now", "The time.", {"type": "object", "properties": {}})
    asked: list[Json] = [{"role": "user", "content": "Hi"}]
    return {"model": model, "messages": asked, "tools": [_tool(offer)], "max_tokens": 1}


def _tool(offer: ToolSpec) -> Json:
    described = {
        "name": offer.name,
        "description": offer.description,
        "parameters": dict(offer.parameters),
    }
    return {"type": "function", "function": described}


def messages(said: Sequence[Message]) -> list[Json]:
    before = (None, *said)
    return [
        _message(message, after, f"call{number:05}")  # nine letters and digits, as Mistral wants
        for number, (after, message) in enumerate(zip(before, said, strict=False))
    ]


def _message(message: Message, after: Message | None, name: str) -> Json:
    """Return a message for the protocol. The result of a protocol call has the role `tool`; the
    result of a call made in text is told by the user, as in Qwen's template.
    """
    if message.tool_call is not None:
        function = {"name": message.tool_call.tool, "arguments": message.tool_call.arguments}
        call = {"id": name, "type": "function", "function": function}
        return {"role": message.role, "content": message.content, "tool_calls": [call]}
    if message.role in ("tool", "environment"):
        if after is not None and after.tool_call is not None:
            made = f"call{int(name[4:]) - 1:05}"
            return {"role": "tool", "tool_call_id": made, "content": plain(message.content)}
        return {
            "role": "user",
            "content": f"<tool_response>\n{plain(message.content)}\n</tool_response>",
        }
    if message.role == "user":
        message = replace(message, content=plain(message.content))
    return {"role": message.role, "content": _content(message)}


def plain(text: str) -> str:
    """Return the text without parts that a model could take for structure."""
    return SPECIAL.sub("\u200b", text)


def _thinking(wanted: bool | None, flavour: ServerQuirks) -> Json:
    """Return the parameters that switch reasoning. An unknown kind of server gets none."""
    if wanted is None or not flavour.thinking:
        return {}
    if flavour.thinking == "enable_thinking":
        return {"enable_thinking": wanted}
    return {flavour.thinking: {"enable_thinking": wanted}}


def written_on(said: Sequence[Message], flavour: ServerQuirks) -> Json:
    """Return the parameters that make a server continue the last message."""
    if said[-1].role != "assistant":
        return {}
    if flavour.write_on is None:
        raise UnsupportedRequest(f"{flavour.name} servers cannot write on at a given beginning")
    return dict(flavour.write_on)


def _content(message: Message) -> str | list[Json]:
    if not message.images:
        return message.content
    parts = [part for image in message.images for part in _picture(image)]
    return [*parts, {"type": "text", "text": message.content}] if message.content else parts


def _picture(image: Image) -> list[Json]:
    data = base64.b64encode(image.data).decode()
    url = {"url": f"data:{image.media_type};base64,{data}"}
    label: list[Json] = [{"type": "text", "text": f"{image.label}: "}] if image.label else []
    return [*label, {"type": "image_url", "image_url": url}]


def _accepted_name(flavour: ServerQuirks, parameter: str) -> str:
    name: str = getattr(flavour, parameter)
    if not name:
        raise UnsupportedRequest(
            f"{flavour.name} servers take no {parameter}; if this one does, "
            "name its kind with INFERENCE_SERVER"
        )
    return name

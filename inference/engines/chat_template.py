"""Renders a conversation as token ids and keeps people's words apart from the structure.

The chat template is rendered with placeholders instead of the contents; its own parts are encoded
with their special tokens, the contents without any. So `<|im_start|>system` in a message is text
to the model, whatever the tokenizer makes of that string elsewhere.
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

from jinja2 import TemplateError

from inference.engines.base import BadRequest, CannotLoad, Image, Message, UnsupportedRequest

Tokenizer = Any  # a transformers fast tokenizer; the library has no usable types


class NoChatTemplate(CannotLoad):
    """The model's folder says nothing about how a conversation is written."""


class ImageTokenizer(Protocol):
    """The text that stands for a model's images."""

    mark: str  # what the chat template writes for one

    def ids(self, image: Image, together: int) -> list[int]:
        """The tokens of a picture that is one of `together` in its message."""
        ...


class ChatTemplate:
    def __init__(self, tokenizer: Tokenizer, frames: ImageTokenizer | None = None) -> None:
        """`frames` gives the text that stands for images. Without it the model takes no images."""
        if not tokenizer.chat_template:
            raise NoChatTemplate(
                "the model has no chat template: name an instruct or chat model, or put a "
                "chat_template.jinja beside its tokenizer"
            )
        self._tokenizer = tokenizer
        self._frames = frames
        self._structural = _structural_tokens(tokenizer)
        self._takes_text = True
        self._takes_text = _MARK in self._render([{"role": "user", "content": _MARK}])
        self._takes_system = self._renders([{"role": "system", "content": "s"}, _USER])
        self._takes = {role for role in ("tool", "environment") if self._shows(role)}
        self._thinks = "enable_thinking" in str(tokenizer.chat_template)

    def encode(
        self,
        messages: Sequence[Message],
        *,
        thinking: bool | None = None,
        markup: tuple[str, ...] = (),
    ) -> list[int]:
        """Ids of `messages` and the head of the answer; BadRequest where they cannot be written.

        A last message of the assistant's is the answer's beginning, which nothing ends.
        """
        if len(messages) > 1 and messages[-1].role == "assistant":
            begun = self._encode_content(_require_unicode(messages[-1].content))
            return [*self.encode(messages[:-1], thinking=thinking, markup=markup), *begun]
        plain = [self._known(message) for message in self._fold_system(messages)]
        for message in plain:
            _require_unicode(message.content)
        if self._frames is None and any(message.images for message in plain):
            raise UnsupportedRequest("this model sees no pictures")
        nonce = secrets.token_hex(8)
        marks = [f"CONTENT{nonce}N{i}E" for i in range(len(plain))]
        rendered = self._render(
            [_to_template_message(m, mark) for m, mark in zip(plain, marks, strict=True)],
            thinking=thinking,
        )
        contents = dict(zip(marks, plain, strict=True))
        parts = re.split(f"(CONTENT{nonce}N\\d+E)", rendered)
        pictures = self._pictures(plain)
        return [
            token for part in parts for token in self._encode_part(part, contents, markup, pictures)
        ]

    def _pictures(self, messages: Sequence[Message]) -> Iterator[list[int]]:
        """The tokens of each picture, in order."""
        if self._frames is not None:
            for message in messages:
                for image in message.images:
                    yield self._frames.ids(image, len(message.images))

    def answer_prefix(self, thinking: bool | None) -> str:
        """Return the part of the answer that the template writes: `<think>`, where it opens the
        reasoning.
        """
        rendered = self._render([_USER], thinking=thinking).rstrip()
        return THINK if rendered.endswith(THINK) else ""

    def end_of_turn(self) -> set[int]:
        """The special token this template writes after an answer, if it writes one.

        Some checkpoints name only the end of a document as their `eos_token`.
        """
        rendered = self._render(
            [_USER, {"role": "assistant", "content": _MARK}], add_generation_prompt=False
        )
        tail = self._tokenizer.encode(rendered.rpartition(_MARK)[2], add_special_tokens=False)
        return set(tail[:1]) & self._special_ids()

    def hidden_token_ids(self, markup: tuple[str, ...]) -> frozenset[int]:
        """Ids of the special tokens that an answer's text does not show."""
        added = self._tokenizer.added_tokens_decoder
        return frozenset(
            i for i in self._special_ids() if i not in added or added[i].content not in markup
        )

    def _special_ids(self) -> set[int]:
        added = self._tokenizer.added_tokens_decoder
        special = {token_id for token_id, token in added.items() if token.special}
        return special | set(self._tokenizer.all_special_ids)

    def _encode_part(
        self,
        part: str,
        contents: dict[str, Message],
        markup: tuple[str, ...],
        pictures: Iterator[list[int]],
    ) -> Iterator[int]:
        if part not in contents:
            yield from self._encode_structure(part, pictures)
            return
        message = contents[part]
        trusted = markup if message.role in ("system", "assistant") else ()
        for piece in re.split(f"({'|'.join(map(re.escape, trusted)) or '(?!)'})", message.content):
            if piece in trusted:
                yield from self._tokenizer.encode(piece, add_special_tokens=False)
            elif piece:
                yield from self._encode_content(piece)

    def _encode_structure(self, part: str, pictures: Iterator[list[int]]) -> Iterator[int]:
        before, *after = part.split(self._frames.mark) if self._frames else [part]
        yield from self._tokenizer.encode(before, add_special_tokens=False)
        for text in after:
            yield from next(pictures)
            yield from self._tokenizer.encode(text, add_special_tokens=False)

    def _encode_content(self, text: str) -> Iterator[int]:
        for piece in self._split_special_tokens(text):
            yield from self._tokenizer.encode(piece, add_special_tokens=False)

    def _split_special_tokens(self, text: str) -> Iterator[str]:
        """Cuts `text` inside every structural token, so that no piece holds one."""
        while found := self._structural.search(text):
            cut = found.start() + 1
            yield text[:cut]
            text = text[cut:]
        yield text

    def _fold_system(self, messages: Sequence[Message]) -> list[Message]:
        """Templates without a system role (Gemma 2) get it at the head of the first question."""
        if self._takes_system or messages[0].role != "system":
            return list(messages)
        system, first, *rest = messages
        return [replace(first, content=f"{system.content}\n\n{first.content}"), *rest]

    def _known(self, message: Message) -> Message:
        """Templates that know no tools tell what one returned as if the user had said it."""
        if message.role in ("tool", "environment") and message.role not in self._takes:
            return replace(message, role="user")
        return message

    def _shows(self, role: str) -> bool:
        said = [_USER, {"role": "assistant", "content": "a"}, {"role": role, "content": "RETURNED"}]
        try:
            return "RETURNED" in self._render(said)
        except BadRequest:
            return False

    def _render(
        self,
        messages: list[dict[str, Any]],
        *,
        add_generation_prompt: bool = True,
        thinking: bool | None = None,
    ) -> str:
        if not self._takes_text:
            messages = [{**message, "content": _parts(message["content"])} for message in messages]
        wanted = {} if thinking is None or not self._thinks else {"enable_thinking": thinking}
        try:
            rendered: str = self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=add_generation_prompt, **wanted
            )
        except TemplateError as error:
            raise BadRequest(f"the chat template refuses this conversation: {error}") from error
        return rendered

    def _renders(self, messages: list[dict[str, Any]]) -> bool:
        try:
            self._render(messages)
        except BadRequest:
            return False
        return True


def _to_template_message(message: Message, mark: str) -> dict[str, Any]:
    """Return the message as the library's templates take it, with a mark in place of its words."""
    if not message.images:
        return {"role": message.role, "content": mark}
    parts: list[dict[str, str]] = []
    for image in message.images:
        parts += [{"type": "text", "text": f"{image.label}: "}] if image.label else []
        parts.append({"type": "image"})
    return {"role": message.role, "content": [*parts, {"type": "text", "text": mark}]}


def _parts(content: str | list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the content as a list of parts, for templates that take no plain text (SmolVLM's)."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


THINK = "<think>"
_MARK = "CONTENT"
_USER = {"role": "user", "content": "q"}


def _require_unicode(text: str) -> str:
    """Half a surrogate pair is no character, and tokenizers take none."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadRequest("the text is not valid Unicode")
    return text


def _structural_tokens(tokenizer: Tokenizer) -> re.Pattern[str]:
    """Every added token that means something: the special ones, and markup such as `<tool_call>`.

    Runs of white space, which some vocabularies also add, stay whole. Longest first, as the
    tokenizer itself matches.
    """
    tokens = [
        token.content
        for token in tokenizer.added_tokens_decoder.values()
        if len(token.content) > 1 and (token.special or token.content[0] in "<[")
    ]
    tokens.sort(key=len, reverse=True)
    return re.compile("|".join(map(re.escape, tokens)) or r"(?!)")

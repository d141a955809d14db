"""The target of a job's answer. The job carries it, so that a restarted bot finds it again."""

import time

import msgspec

from bot.notices import Notice

TOKEN_LIFE_S = 15 * 60
TOKEN_MARGIN_S = 60  # an edit that begins within it may be retried past the end


class Footnote(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that the person should know of the question, such as a file that was cut."""

    key: str  # of bot/locales
    arguments: dict[str, str | int] = {}

    @property
    def notice(self) -> Notice:
        return Notice(self.key, arguments=self.arguments)


class InteractionTarget(msgspec.Struct, frozen=True, tag="interaction", omit_defaults=True):
    """An answer below an interaction's response."""

    application: str
    token: str
    channel: str
    created_s: int  # Unix time of the interaction
    may_write: bool  # the bot may also send ordinary messages there
    private: bool = False  # only the person sees it
    personal: bool = False  # the bot is installed for the person alone, not in the server
    quoted: bool = False  # the question stands above the answer
    about: str = ""  # the address of the message that was asked about
    read_along: bool = False  # the prompt holds more than the question: messages, or files
    footnotes: tuple[Footnote, ...] = ()
    # For a new version of an answer: the answer's first job and its messages.
    answer: str = ""
    messages: tuple[str, ...] = ()

    @property
    def token_alive(self) -> bool:
        return time.time() < self.created_s + TOKEN_LIFE_S - TOKEN_MARGIN_S


class MessageTarget(msgspec.Struct, frozen=True, tag="message", omit_defaults=True):
    """An answer that replies to a message."""

    channel: str
    message: str  # the one that asked; empty for an answer that stands by itself
    quoted: bool = False  # the question, which was put into other words, stands above the answer
    about: str = ""  # the address of the message that the question replies to
    read_along: bool = False
    footnotes: tuple[Footnote, ...] = ()
    answer: str = ""
    messages: tuple[str, ...] = ()


ReplyTarget = InteractionTarget | MessageTarget

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(ReplyTarget).decode


def is_private(encoded: str) -> bool:
    target: ReplyTarget = decode(encoded)
    return isinstance(target, InteractionTarget) and target.private


class DeliveryNote(msgspec.Struct, frozen=True, omit_defaults=True):
    """The messages that an answer has so far."""

    messages: tuple[str, ...] = ()  # in order; empty where one is still to be sent
    replaced: int = 0  # messages that were given up for new ones


decode_note = msgspec.json.Decoder(DeliveryNote).decode

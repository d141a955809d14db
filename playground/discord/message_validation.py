"""The rules for a message. Every broken rule is reported at once, as Discord does.

https://discord.com/developers/docs/resources/message#create-message
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from playground.discord.components import (
    LARGEST_COLOUR,
    UPLOAD,
    V1_MESSAGE,
    V2_COMPONENTS,
    V2_MESSAGE,
    V2_TEXT,
    check_tree,
    displayed_text,
    media_items,
    walk,
)
from playground.discord.errors import DiscordError, FormErrors, too_large_error
from playground.discord.json_types import File, Json, MessageFlag
from playground.discord.schema import (
    AnyOf,
    Array,
    Boolean,
    Choice,
    Integer,
    Number,
    Object,
    Schema,
    Snowflake,
    String,
    Timestamp,
    Url,
    check_emoji,
    is_blank,
)

CONTENT = 2000
EMBEDS = 10
EMBED_TOTAL = 6000
FILES = 10
FILE_BYTES = 10 * 2**20
REQUEST_BYTES = 25 * 2**20
NONCE = 25
LARGEST_NONCE = 2**63 - 1


# --- schemas of a message's members -----------------------------------------------------------


def _check_embed(form: FormErrors, at: str, embed: Json) -> None:
    """Check that an embed and its fields are not empty."""
    shown = (
        "title",
        "description",
        "fields",
        "image",
        "thumbnail",
        "author",
        "footer",
        "timestamp",
    )
    if not any(_has_content(embed.get(name)) for name in shown):
        form.add(f"{at}.description", "BASE_TYPE_REQUIRED", "This field is required")
    for index, each in enumerate(embed.get("fields") or ()):
        for name in ("name", "value"):
            if not _has_content(each[name]):
                where = f"{at}.fields.{index}.{name}"
                form.add(where, "BASE_TYPE_REQUIRED", "This field is required")


def _has_content(value: Any) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


def _check_mentions(form: FormErrors, at: str, allowed: Json) -> None:
    for kind in ("users", "roles"):
        if kind in (allowed.get("parse") or ()) and allowed.get(kind):
            form.add(
                at,
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
            )


_WEB = Url()
_MEDIA = Object({"url": Url(("http", "https", "attachment"))}, ("url",))
_ICON = Url(("http", "https", "attachment"))
EMBED = Object(
    {
        "title": String(0, 256),
        "description": String(0, 4096),
        "url": _WEB,
        "timestamp": Timestamp(),
        "color": Integer(0, LARGEST_COLOUR),
        "footer": Object({"text": String(1, 2048), "icon_url": _ICON}, ("text",)),
        "image": _MEDIA,
        "thumbnail": _MEDIA,
        "author": Object({"name": String(1, 256), "url": _WEB, "icon_url": _ICON}, ("name",)),
        "fields": Array(
            Object(
                {"name": String(1, 256), "value": String(1, 1024), "inline": Boolean()},
                ("name", "value"),
            ),
            0,
            25,
        ),
    },
    rules=(_check_embed,),
)
ALLOWED_MENTIONS = Object(
    {
        "parse": Array(Choice(("users", "roles", "everyone")), 0, None, unique=True),
        "users": Array(Snowflake(), 0, 100, unique=True),
        "roles": Array(Snowflake(), 0, 100, unique=True),
        "replied_user": Boolean(),
    },
    rules=(_check_mentions,),
)
REFERENCE = Object(
    {
        "type": Choice((0, 1)),
        "message_id": Snowflake(),
        "channel_id": Snowflake(),
        "guild_id": Snowflake(),
        "fail_if_not_exists": Boolean(),
    },
    ("message_id",),
)
ATTACHMENT = Object(
    {
        "id": Snowflake(),
        "filename": String(1, 1024),
        "description": String(0, 1024),
        "title": String(0, 1024),
        "duration_secs": Number(),
        "waveform": String(0, 400),
        "is_spoiler": Boolean(),
    },
    ("id",),
)
POLL = Object(
    {
        "question": Object({"text": String(1, 300, visible=True)}, ("text",)),
        "answers": Array(
            Object(
                {
                    "poll_media": Object(
                        {
                            "text": String(1, 55, visible=True),
                            "emoji": Object(
                                {"id": Snowflake(), "name": String(1, 64)}, rules=(check_emoji,)
                            ),
                        },
                        ("text",),
                    )
                },
                ("poll_media",),
            ),
            1,
            10,
        ),
        "duration": Integer(1, 768),
        "allow_multiselect": Boolean(),
        "layout_type": Choice((1,)),
    },
    ("question", "answers"),
)
_MEMBERS: dict[str, Schema] = {
    "content": String(0, CONTENT),
    "nonce": AnyOf((String(0, NONCE), Integer(-LARGEST_NONCE - 1, LARGEST_NONCE))),
    "enforce_nonce": Boolean(),
    "tts": Boolean(),
    "flags": Integer(0, 2**53),
    "embeds": Array(EMBED, 0, EMBEDS),
    "allowed_mentions": ALLOWED_MENTIONS,
    "message_reference": REFERENCE,
    "sticker_ids": Array(Snowflake(), 0, 3, unique=True),
    "attachments": Array(ATTACHMENT, 0, FILES),
    "poll": POLL,
}
_V1 = Object({**_MEMBERS, "components": V1_MESSAGE})
_V2 = Object({**_MEMBERS, "components": V2_MESSAGE})


# --- checks of requests and messages ----------------------------------------------------------


def check_body(body: Any, before: MessageFlag, files: Sequence[File]) -> None:
    """Check a request that creates or edits a message. `before` are the edited message's flags.

    Raises DiscordError: 50035 with the error tree.
    """
    sent = body.get("flags") if isinstance(body, dict) else None
    flags = before | MessageFlag(sent if type(sent) is int and sent > 0 else 0)
    form = FormErrors()
    (_V2 if MessageFlag.COMPONENTS_V2 in flags else _V1).check(form, "", body)
    if isinstance(body, dict):
        check_tree(form, "", body)
    if form.is_empty:
        for index, entry in enumerate(body.get("attachments") or ()):
            if is_upload(entry) and int(entry["id"]) >= len(files):
                message = f"No file was sent for the attachment {entry['id']}"
                form.add(f"attachments.{index}.id", "ATTACHMENT_NOT_FOUND", message)
    form.raise_if_any()


def is_upload(entry: Json) -> bool:
    """Return whether an entry of `attachments` describes a file of this request, by index."""
    return len(str(entry.get("id", ""))) < 4


def check_message(body: Json, flags: MessageFlag, files: Sequence[File]) -> None:
    """Check the complete message. Its attachments include the uploads.

    Raises DiscordError: 50035 with the error tree, 50006 where it is empty, 40005 for large files.
    """
    _check_files(body, files)
    form = FormErrors()
    components: list[Json] = body.get("components") or []
    if sum(map(_embed_characters, body.get("embeds") or [])) > EMBED_TOTAL:
        message = f"Embed size exceeds maximum size of {EMBED_TOTAL}"
        form.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", message)
    if MessageFlag.COMPONENTS_V2 in flags:
        _check_v2(form, body, components)
    form.raise_if_any()
    if not any(
        (
            not is_blank(body.get("content") or ""),
            body.get("embeds"),
            components,
            body.get("attachments"),
            body.get("poll"),
            body.get("sticker_ids"),
        )
    ):
        raise DiscordError(400, 50006, "Cannot send an empty message")


def _check_files(body: Json, files: Sequence[File]) -> None:
    if any(len(f.data) > FILE_BYTES for f in files):
        raise too_large_error()
    if sum(len(f.data) for f in files) > REQUEST_BYTES:
        raise too_large_error()
    if len(body.get("attachments") or ()) > FILES:
        raise FormErrors.single(
            "attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {FILES} or fewer in length."
        )


def _embed_characters(embed: Json) -> int:
    texts = [
        embed.get("title"),
        embed.get("description"),
        (embed.get("footer") or {}).get("text"),
        (embed.get("author") or {}).get("name"),
    ]
    for each in embed.get("fields") or ():
        texts += [each.get("name"), each.get("value")]
    return sum(len(text or "") for text in texts)


def _check_v2(form: FormErrors, body: Json, components: list[Json]) -> None:
    for key in ("content", "embeds", "poll", "sticker_ids"):
        if body.get(key):
            form.add(
                key,
                "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
            )
    every = list(walk(components))
    if len(every) > V2_COMPONENTS:
        form.add(
            "components",
            "BASE_TYPE_BAD_LENGTH",
            f"Must be between 1 and {V2_COMPONENTS} in length.",
        )
    if len(displayed_text(components)) > V2_TEXT:
        form.add(
            "components",
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
            f"The total size of displayable text exceeds {V2_TEXT}",
        )
    _check_references(form, body, every)


def file_name_of_url(address: str) -> str:
    """Return the name of the file at a URL."""
    return unquote(address.split("?", maxsplit=1)[0].rsplit("/", 1)[-1])


def _check_references(form: FormErrors, body: Json, components: list[Json]) -> None:
    """Check that each upload is shown by a component, and that each shown file is uploaded."""
    names = {a["filename"] for a in body.get("attachments") or () if "filename" in a}
    urls = [str(item.get("url")) for item in media_items(components)]
    used = set(map(file_name_of_url, urls))
    for url in urls:
        if url.startswith(UPLOAD) and url.removeprefix(UPLOAD) not in names:
            form.add(
                "components",
                "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
                f"The referenced attachment {url} was not found in the payload",
            )
    for name in sorted(names - used):
        form.add(
            "attachments",
            "COMPONENTS_V2_UNREFERENCED_ATTACHMENT",
            f"The attachment {name} is not referenced by any component",
        )

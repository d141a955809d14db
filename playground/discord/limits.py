"""What a message may hold. Every broken rule is reported at once, as Discord does.

https://discord.com/developers/docs/resources/message#create-message
https://discord.com/developers/docs/components/reference
"""

from collections.abc import Iterator, Sequence

from playground.discord.errors import DiscordError, Form, too_large
from playground.discord.shapes import File, Json, MessageFlag

CONTENT = 2000
EMBEDS = 10
EMBED_TOTAL = 6000
FILES = 10
FILE_BYTES = 10 * 2**20
REQUEST_BYTES = 25 * 2**20
V1_ROWS = 5
V2_COMPONENTS = 40
V2_TEXT = 4000
NONCE = 25

ACTION_ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SECTION, TEXT_DISPLAY, THUMBNAIL, MEDIA_GALLERY, FILE_COMPONENT = 9, 10, 11, 12, 13
SEPARATOR, CONTAINER = 14, 17
V2_TOP_TYPES = (
    ACTION_ROW,
    SECTION,
    TEXT_DISPLAY,
    MEDIA_GALLERY,
    FILE_COMPONENT,
    SEPARATOR,
    CONTAINER,
)
LENGTHS = {  # what they hold, and how much of it at most; never nothing
    ACTION_ROW: ("components", 5),
    SECTION: ("components", 3),
    TEXT_DISPLAY: ("content", V2_TEXT),
    MEDIA_GALLERY: ("items", 10),
    CONTAINER: ("components", V2_COMPONENTS),
}
LINK_STYLE, PREMIUM_STYLE = 5, 6
UPLOAD = "attachment://"


def check_message(body: Json, flags: MessageFlag, files: Sequence[File]) -> None:
    """`body` is the message as it would stand, uploads among its attachments.

    Raises DiscordError: 50035 with the tree of what is wrong, 50006 when empty, 40005.
    """
    _check_files(body, files)
    form = Form()
    components: list[Json] = body.get("components") or []
    form.longest("content", body.get("content"), CONTENT)
    form.longest("nonce", body.get("nonce"), NONCE)
    _check_embeds(form, body.get("embeds") or [])
    if MessageFlag.COMPONENTS_V2 in flags:
        _check_v2(form, body, components)
    else:
        _check_v1(form, components)
    _check_buttons_and_selects(form, components)
    form.check()
    if not any(
        (
            (body.get("content") or "").strip(),
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
        raise too_large()
    if sum(len(f.data) for f in files) > REQUEST_BYTES:
        raise too_large()
    if len(body.get("attachments") or ()) > FILES:
        raise Form.refuse(
            "attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {FILES} or fewer in length."
        )


def _check_embeds(form: Form, embeds: list[Json]) -> None:
    if len(embeds) > EMBEDS:
        form.wrong("embeds", "BASE_TYPE_MAX_LENGTH", f"Must be {EMBEDS} or fewer in length.")
    for index, embed in enumerate(embeds):
        at = f"embeds.{index}"
        form.longest(f"{at}.title", embed.get("title"), 256)
        form.longest(f"{at}.description", embed.get("description"), 4096)
        form.longest(f"{at}.footer.text", (embed.get("footer") or {}).get("text"), 2048)
        form.longest(f"{at}.author.name", (embed.get("author") or {}).get("name"), 256)
        fields = embed.get("fields") or []
        if len(fields) > 25:
            form.wrong(f"{at}.fields", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
        for number, each in enumerate(fields):
            for key, limit in (("name", 256), ("value", 1024)):
                form.required(f"{at}.fields.{number}.{key}", each.get(key))
                form.longest(f"{at}.fields.{number}.{key}", each.get(key), limit)
    if sum(map(_embed_characters, embeds)) > EMBED_TOTAL:
        form.wrong(
            "embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
            f"Embed size exceeds maximum size of {EMBED_TOTAL}",
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


def _check_v1(form: Form, components: list[Json]) -> None:
    if len(components) > V1_ROWS:
        form.wrong("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.")
    for index, row in enumerate(components):
        if row.get("type") != ACTION_ROW:
            form.wrong(
                f"components.{index}.type",
                "UNION_TYPE_CHOICES",
                'Value of field "type" must be one of (1,).',
            )
        elif not 1 <= len(row.get("components") or ()) <= 5:
            form.wrong(
                f"components.{index}.components",
                "BASE_TYPE_BAD_LENGTH",
                "Must be between 1 and 5 in length.",
            )


def _check_v2(form: Form, body: Json, components: list[Json]) -> None:
    for key in ("content", "embeds", "poll", "sticker_ids"):
        if body.get(key):
            form.wrong(
                key,
                "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                f"The '{key}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
            )
    _check_v2_shapes(form, components)
    every = list(walk(components))
    if len(every) > V2_COMPONENTS:
        form.wrong(
            "components",
            "BASE_TYPE_BAD_LENGTH",
            f"Must be between 1 and {V2_COMPONENTS} in length.",
        )
    if len(displayed_text(components)) > V2_TEXT:
        form.wrong(
            "components",
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
            f"The total size of displayable text exceeds {V2_TEXT}",
        )
    _check_references(form, body, every)


def _check_v2_shapes(form: Form, components: list[Json]) -> None:
    """Which components may lie where, and how long each may be."""
    for path, component in _paths(components):
        kind, is_top = component.get("type"), path.count(".") == 1
        if is_top and kind not in V2_TOP_TYPES:
            form.wrong(
                f"{path}.type",
                "UNION_TYPE_CHOICES",
                f'Value of field "type" must be one of {V2_TOP_TYPES}.',
            )
        if kind == CONTAINER and not is_top:
            form.wrong(f"{path}.type", "UNION_TYPE_CHOICES", "A container cannot be nested.")
        if kind in LENGTHS:
            field, most = LENGTHS[kind]
            if not 1 <= len(component.get(field) or ()) <= most:
                form.wrong(
                    f"{path}.{field}",
                    "BASE_TYPE_BAD_LENGTH",
                    f"Must be between 1 and {most} in length.",
                )


def _check_references(form: Form, body: Json, components: list[Json]) -> None:
    """Every upload must be shown by a component, and only what is uploaded can be shown."""
    names = {a["filename"] for a in body.get("attachments") or () if "filename" in a}
    urls = list(_media_urls(components))
    used = {url.split("?")[0].rsplit("/", 1)[-1] for url in urls}
    for url in urls:
        if url.startswith(UPLOAD) and url.removeprefix(UPLOAD) not in names:
            form.wrong(
                "components",
                "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
                f"The referenced attachment {url} was not found in the payload",
            )
    for name in sorted(names - used):
        form.wrong(
            "attachments",
            "COMPONENTS_V2_UNREFERENCED_ATTACHMENT",
            f"The attachment {name} is not referenced by any component",
        )


def _media_urls(components: list[Json]) -> Iterator[str]:
    return (str(item.get("url")) for item in media_items(components))


def media_items(components: Sequence[Json]) -> Iterator[Json]:
    """Every place in Components V2 that shows a picture or a file."""
    for component in walk(components):
        found = [component.get("media"), component.get("file")]
        found += [item.get("media") for item in component.get("items") or ()]
        yield from (item for item in found if isinstance(item, dict))


def _check_buttons_and_selects(form: Form, components: list[Json]) -> None:
    seen: set[str] = set()
    for path, component in _paths(components):
        custom_id = component.get("custom_id")
        form.longest(f"{path}.custom_id", custom_id, 100)
        form.longest(f"{path}.label", component.get("label"), 80)
        form.longest(f"{path}.placeholder", component.get("placeholder"), 150)
        if component.get("type") == BUTTON and component.get("style") not in (
            LINK_STYLE,
            PREMIUM_STYLE,
        ):
            form.required(f"{path}.custom_id", custom_id)
        if len(component.get("options") or ()) > 25:
            form.wrong(
                f"{path}.options", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length."
            )
        if custom_id in seen:
            form.wrong(
                f"{path}.custom_id",
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            )
        if custom_id is not None:
            seen.add(custom_id)


def _paths(components: list[Json], at: str = "components") -> Iterator[tuple[str, Json]]:
    for index, component in enumerate(components):
        path = f"{at}.{index}"
        yield path, component
        yield from _paths(component.get("components") or [], f"{path}.components")
        for key in ("accessory", "component"):
            if component.get(key):
                yield f"{path}.{key}", component[key]


def walk(components: Sequence[Json]) -> Iterator[Json]:
    """Every component, nested ones and accessories too."""
    return (component for _, component in _paths(list(components)))


def text_of(message: Json) -> str:
    """What a message says, plain or made of components."""
    return str(message["content"] or displayed_text(message["components"]))


def displayed_text(components: Sequence[Json]) -> str:
    texts = (c.get("content") for c in walk(components) if c.get("type") == TEXT_DISPLAY)
    return "\n".join(text for text in texts if text)

"""Components of messages and modals: their types, rules for a tree of them, and default values.

https://discord.com/developers/docs/components/reference
"""

from collections.abc import Iterator, Sequence
from typing import Any

from playground.discord.errors import FormErrors
from playground.discord.json_types import Json
from playground.discord.schema import (
    ADDRESS_SCHEMES,
    UPLOADED,
    Array,
    Boolean,
    Choice,
    Integer,
    Object,
    Schema,
    Snowflake,
    String,
    TaggedObject,
    Url,
    check_emoji,
)

V1_ROWS = 5
V2_COMPONENTS = 40
V2_TEXT = 4000
MODAL_COMPONENTS = 5
LARGEST_COLOUR = 2**24 - 1

ACTION_ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 5, 6, 7, 8
SECTION, TEXT_DISPLAY, THUMBNAIL, MEDIA_GALLERY, FILE_COMPONENT = 9, 10, 11, 12, 13
SEPARATOR, CONTAINER, LABEL, FILE_UPLOAD = 14, 17, 18, 19
RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 21, 22, 23
SELECTS = (STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT)
PRIMARY_STYLE, LINK_STYLE, PREMIUM_STYLE = 1, 5, 6
UPLOAD = f"{UPLOADED}://"
ROW_WIDTH = 5


# --- rules of one component -------------------------------------------------------------------


def _check_button(form: FormErrors, at: str, button: Json) -> None:
    style = button["style"]
    needed, forbidden = {
        LINK_STYLE: ("url", ("custom_id", "sku_id")),
        PREMIUM_STYLE: ("sku_id", ("custom_id", "url", "label", "emoji")),
    }.get(style, ("custom_id", ("url", "sku_id")))
    if button.get(needed) is None:
        code = f"BUTTON_COMPONENT_{needed.upper()}_REQUIRED"
        form.add(f"{at}.{needed}", code, f"A {needed} is required for this style")
    for name in forbidden:
        if button.get(name) is not None:
            message = f"A button of this style cannot have a {name}"
            form.add(f"{at}.{name}", f"BUTTON_COMPONENT_{name.upper()}_FORBIDDEN", message)
    if style != PREMIUM_STYLE and not (button.get("label") or button.get("emoji")):
        form.add(f"{at}.label", "BASE_TYPE_REQUIRED", "A label or an emoji is required")


def _check_row(form: FormErrors, at: str, row: Json) -> None:
    """Check that a menu or a text input is alone in its row. Buttons may share one."""
    wide = [child for child in row["components"] if child["type"] != BUTTON]
    if wide and len(row["components"]) > 1:
        form.add(
            f"{at}.components",
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
            "The specified component exceeds the maximum width",
        )


def _check_range(form: FormErrors, at: str, part: Json, offered: int | None = None) -> None:
    """Check `min_values` and `max_values` of a menu, a group or a file upload."""
    default_most = offered if part["type"] == CHECKBOX_GROUP else 1
    most = part.get("max_values") or default_most or 1
    least = part.get("min_values")
    least = 1 if least is None else least
    if least > most:
        message = f"Must be less than or equal to max_values ({most})."
        form.add(f"{at}.min_values", "SELECT_COMPONENT_MIN_VALUES_TOO_LARGE", message)
    if offered is not None and most > offered:
        message = f"Must be less than or equal to the number of options ({offered})."
        form.add(f"{at}.max_values", "SELECT_COMPONENT_MAX_VALUES_TOO_LARGE", message)
    chosen = len(part.get("default_values") or ()) or sum(
        bool(option.get("default")) for option in part.get("options") or ()
    )
    if chosen > most:
        message = f"There are more default values ({chosen}) than max_values ({most})."
        form.add(at, "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES", message)


def _check_options(form: FormErrors, at: str, part: Json) -> None:
    options = part["options"]
    seen: set[str] = set()
    for index, option in enumerate(options):
        if option["value"] in seen:
            form.add(
                f"{at}.options.{index}.value",
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            )
        seen.add(option["value"])
    if part["type"] != RADIO_GROUP:
        _check_range(form, at, part, len(options))
    elif sum(bool(option.get("default")) for option in options) > 1:
        message = "Only one option of a radio group can be the default."
        form.add(at, "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES", message)


def _check_lengths(form: FormErrors, at: str, field: Json) -> None:
    """Check `min_length`, `max_length` and `value` of a text input."""
    least, most = field.get("min_length") or 0, field.get("max_length") or TEXT_INPUT_CHARACTERS
    value = field.get("value") or ""
    if least > most:
        message = f"Must be less than or equal to max_length ({most})."
        form.add(f"{at}.min_length", "TEXT_INPUT_MIN_LENGTH_TOO_LARGE", message)
    elif value and not least <= len(value) <= most:
        message = f"Must be between {least} and {most} in length."
        form.add(f"{at}.value", "BASE_TYPE_BAD_LENGTH", message)


def _check_in_modal(form: FormErrors, at: str, part: Json) -> None:
    """Check that no component is disabled, and that a required one takes at least one value."""
    if part.get("disabled"):
        message = "A component in a modal cannot be disabled"
        form.add(f"{at}.disabled", "COMPONENT_DISABLED_IN_MODAL", message)
    if part.get("required") is not False and part.get("min_values") == 0:
        message = "min_values can be 0 only where the component is not required"
        form.add(f"{at}.min_values", "SELECT_COMPONENT_MIN_VALUES_REQUIRED", message)


def _check_label_alone(form: FormErrors, at: str, label: Json) -> None:
    if label["component"].get("label") is not None:
        message = "A text input in a label has no label of its own"
        form.add(f"{at}.component.label", "TEXT_INPUT_LABEL_IN_LABEL", message)


def _check_row_label(form: FormErrors, at: str, row: Json) -> None:
    for index, child in enumerate(row["components"]):
        if not child.get("label"):
            where = f"{at}.components.{index}.label"
            form.add(where, "BASE_TYPE_REQUIRED", "This field is required")


# --- types ------------------------------------------------------------------------------------

TEXT_INPUT_CHARACTERS = 4000
_CUSTOM_ID = String(1, 100)
_ID: dict[str, Schema] = {"id": Integer(0, 2**31 - 1)}
_EMOJI = Object(
    {"id": Snowflake(), "name": String(1, 64), "animated": Boolean()}, rules=(check_emoji,)
)
_MEDIA = Object({"url": Url(ADDRESS_SCHEMES)}, ("url",))
_UPLOADED_MEDIA = Object({"url": Url((UPLOADED,))}, ("url",))

_button = Object(
    {
        **_ID,
        "style": Integer(PRIMARY_STYLE, PREMIUM_STYLE),
        "label": String(0, 80),
        "emoji": _EMOJI,
        "custom_id": _CUSTOM_ID,
        "url": Url(("http", "https", "discord"), 512),
        "sku_id": Snowflake(),
        "disabled": Boolean(),
    },
    ("style",),
    (_check_button,),
)
_MENU: dict[str, Schema] = {
    **_ID,
    "custom_id": _CUSTOM_ID,
    "placeholder": String(0, 150),
    "min_values": Integer(0, 25),
    "max_values": Integer(1, 25),
    "disabled": Boolean(),
    "required": Boolean(),
}


def _option(**more: Schema) -> Object:
    members: dict[str, Schema] = {
        "label": String(1, 100),
        "value": String(1, 100),
        "description": String(0, 100),
        "default": Boolean(),
        **more,
    }
    return Object(members, ("label", "value"))


def _defaults(*types: str) -> Array:
    return Array(Object({"id": Snowflake(), "type": Choice(types)}, ("id", "type")), 0, 25)


_selects = {
    STRING_SELECT: Object(
        {**_MENU, "options": Array(_option(emoji=_EMOJI), 1, 25)},
        ("custom_id", "options"),
        (_check_options,),
    ),
    **{
        kind: Object({**_MENU, **more}, ("custom_id",), (_check_range,))
        for kind, more in {
            USER_SELECT: {"default_values": _defaults("user")},
            ROLE_SELECT: {"default_values": _defaults("role")},
            MENTIONABLE_SELECT: {"default_values": _defaults("user", "role")},
            CHANNEL_SELECT: {
                "default_values": _defaults("channel"),
                "channel_types": Array(Integer(0, 16), 0, 25, unique=True),
            },
        }.items()
    },
}
_row = Object(
    {**_ID, "components": Array(TaggedObject({BUTTON: _button, **_selects}), 1, ROW_WIDTH)},
    ("components",),
    (_check_row,),
)
_text = Object({**_ID, "content": String(1, visible=True)}, ("content",))
_thumbnail = Object(
    {**_ID, "media": _MEDIA, "description": String(1, 1024), "spoiler": Boolean()}, ("media",)
)
_in_container = {
    ACTION_ROW: _row,
    SECTION: Object(
        {
            **_ID,
            "components": Array(TaggedObject({TEXT_DISPLAY: _text}), 1, 3),
            "accessory": TaggedObject({BUTTON: _button, THUMBNAIL: _thumbnail}),
        },
        ("components", "accessory"),
    ),
    TEXT_DISPLAY: _text,
    MEDIA_GALLERY: Object(
        {
            **_ID,
            "items": Array(
                Object(
                    {"media": _MEDIA, "description": String(1, 1024), "spoiler": Boolean()},
                    ("media",),
                ),
                1,
                10,
            ),
        },
        ("items",),
    ),
    FILE_COMPONENT: Object({**_ID, "file": _UPLOADED_MEDIA, "spoiler": Boolean()}, ("file",)),
    SEPARATOR: Object({**_ID, "divider": Boolean(), "spacing": Integer(1, 2)}),
}
_container = Object(
    {
        **_ID,
        "components": Array(TaggedObject(_in_container), 1, V2_COMPONENTS),
        "accent_color": Integer(0, LARGEST_COLOUR),
        "spoiler": Boolean(),
    },
    ("components",),
)
V1_MESSAGE = Array(TaggedObject({ACTION_ROW: _row}), 0, V1_ROWS)
V2_MESSAGE = Array(TaggedObject({**_in_container, CONTAINER: _container}), 0, V2_COMPONENTS)

_FIELD: dict[str, Schema] = {**_ID, "custom_id": _CUSTOM_ID, "required": Boolean()}
_COUNTED: dict[str, Schema] = {**_FIELD, "min_values": Integer(0, 10), "max_values": Integer(1, 10)}
_text_input = Object(
    {
        **_FIELD,
        "style": Integer(1, 2),
        "label": String(1, 45),
        "min_length": Integer(0, TEXT_INPUT_CHARACTERS),
        "max_length": Integer(1, TEXT_INPUT_CHARACTERS),
        "value": String(0, TEXT_INPUT_CHARACTERS),
        "placeholder": String(0, 100),
    },
    ("custom_id", "style"),
    (_check_lengths,),
)
_fields = {
    TEXT_INPUT: _text_input,
    **{
        kind: Object(each.members, each.required, (*each.rules, _check_in_modal))
        for kind, each in _selects.items()
    },
    FILE_UPLOAD: Object(_COUNTED, ("custom_id",), (_check_range, _check_in_modal)),
    RADIO_GROUP: Object(
        {**_FIELD, "options": Array(_option(), 2, 10)}, ("custom_id", "options"), (_check_options,)
    ),
    CHECKBOX_GROUP: Object(
        {**_COUNTED, "options": Array(_option(), 1, 10)},
        ("custom_id", "options"),
        (_check_options, _check_in_modal),
    ),
    CHECKBOX: Object({**_ID, "custom_id": _CUSTOM_ID, "default": Boolean()}, ("custom_id",)),
}
_label = Object(
    {
        **_ID,
        "label": String(1, 45),
        "description": String(1, 100),
        "component": TaggedObject(_fields),
    },
    ("label", "component"),
    (_check_label_alone,),
)
_modal_row = Object(
    {**_ID, "components": Array(TaggedObject({TEXT_INPUT: _text_input}), 1, 1)},
    ("components",),
    (_check_row_label,),
)


def check_tree(form: FormErrors, at: str, body: Json) -> None:
    """Check that no `custom_id` and no `id` occurs twice in a message or a modal."""
    components = body.get("components") or []
    if not _is_tree(components):
        return
    seen: set[object] = set()
    for path, component in walk_with_paths(components):
        for name in ("custom_id", "id"):
            value = component.get(name)
            if value and (name, value) in seen:
                what = "custom id" if name == "custom_id" else "id"
                form.add(
                    f"{at}.{path}.{name}".removeprefix("."),
                    f"COMPONENT_{name.upper()}_DUPLICATED",
                    f"Component {what} cannot be duplicated",
                )
            seen.add((name, value))


MODAL = Object(
    {
        "custom_id": _CUSTOM_ID,
        "title": String(1, 45),
        "components": Array(
            TaggedObject({ACTION_ROW: _modal_row, TEXT_DISPLAY: _text, LABEL: _label}),
            1,
            MODAL_COMPONENTS,
        ),
    },
    ("custom_id", "title", "components"),
    (check_tree,),
)


# --- the tree ---------------------------------------------------------------------------------


def walk_with_paths(
    components: Sequence[Json], at: str = "components"
) -> Iterator[tuple[str, Json]]:
    """Yield each component with its path, also nested ones and accessories, in reading order."""
    for index, component in enumerate(components):
        path = f"{at}.{index}"
        yield path, component
        yield from walk_with_paths(component.get("components") or [], f"{path}.components")
        for key in ("accessory", "component"):
            if component.get(key):
                yield f"{path}.{key}", component[key]


def _is_tree(components: Any) -> bool:
    """Return whether `walk_with_paths` can read these components."""
    return isinstance(components, list) and all(
        isinstance(each, dict)
        and isinstance(each.get("custom_id"), str | None)
        and isinstance(each.get("id"), int | None)
        and _is_tree(each.get("components") or [])
        and _is_tree([each[key] for key in ("accessory", "component") if each.get(key)])
        for each in components
    )


def walk(components: Sequence[Json]) -> Iterator[Json]:
    """Yield each component, also nested ones and accessories."""
    return (component for _, component in walk_with_paths(list(components)))


def media_items(components: Sequence[Json]) -> Iterator[Json]:
    """Yield each media item of Components V2: a picture or a file."""
    for component in walk(components):
        found = [component.get("media"), component.get("file")]
        found += [item.get("media") for item in component.get("items") or ()]
        yield from (item for item in found if isinstance(item, dict))


def displayed_text(components: Sequence[Json]) -> str:
    texts = (c.get("content") for c in walk(components) if c.get("type") == TEXT_DISPLAY)
    return "\n".join(text for text in texts if text)


def message_text(message: Json) -> str:
    """Return the text of a message, from its content or its components."""
    return str(message["content"] or displayed_text(message["components"]))


# --- default values ---------------------------------------------------------------------------

_RETURNED_DEFAULTS: dict[int, Json] = {
    BUTTON: {"disabled": False},
    **{kind: {"min_values": 1, "max_values": 1, "disabled": False} for kind in SELECTS},
    THUMBNAIL: {"description": None, "spoiler": False},
    FILE_COMPONENT: {"spoiler": False},
    SEPARATOR: {"divider": True, "spacing": 1},
    CONTAINER: {"accent_color": None, "spoiler": False},
}


def complete_components(components: Sequence[Json]) -> list[Json]:
    """Return a message's components as Discord does: with ids and default values.

    A Unicode emoji has no `id`.
    """
    used = {c["id"] for c in walk(components) if c.get("id")}
    free = (number for number in range(1, len(used) + 10**6) if number not in used)
    return [_complete(component, free) for component in components]


def _complete(component: Json, free: Iterator[int]) -> Json:
    kept: Json = {**_RETURNED_DEFAULTS.get(component["type"], {}), **_without_nulls(component)}
    kept["id"] = component.get("id") or next(free)
    if kept["type"] in SELECTS:
        kept.pop("required", None)
    if isinstance(kept.get("emoji"), dict):
        kept["emoji"] = _without_nulls(kept["emoji"])
    if "options" in kept:
        kept["options"] = [_complete_option(option) for option in kept["options"]]
    if "items" in kept:
        shown = {"description": None, "spoiler": False}
        kept["items"] = [{**shown, **item, "media": dict(item["media"])} for item in kept["items"]]
    for key in ("media", "file"):
        if key in kept:
            kept[key] = dict(kept[key])
    if "components" in kept:
        kept["components"] = [_complete(child, free) for child in kept["components"]]
    if "accessory" in kept:
        kept["accessory"] = _complete(kept["accessory"], free)
    return kept


def _complete_option(option: Json) -> Json:
    kept = _without_nulls(option)
    if isinstance(kept.get("emoji"), dict):
        kept["emoji"] = _without_nulls(kept["emoji"])
    return kept


def _without_nulls(thing: Json) -> dict[str, Any]:
    return {key: value for key, value in thing.items() if value is not None}

"""Posting, editing, deleting and reacting, for people, the bot and webhooks."""

import copy
import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from playground.discord.cdn import Cdn
from playground.discord.clock import format_timestamp
from playground.discord.components import (
    UPLOAD,
    complete_components,
    displayed_text,
    media_items,
    walk,
)
from playground.discord.errors import DiscordError, FormErrors, unknown_error
from playground.discord.json_types import (
    SETTABLE_FLAGS,
    THREADS,
    ChannelType,
    File,
    Json,
    MessageFlag,
)
from playground.discord.message_validation import (
    check_body,
    check_message,
    file_name_of_url,
    is_upload,
)
from playground.discord.permissions import Permission
from playground.discord.state import ServerState, StoredMessage

# The users and roles that a message mentions, and the users that it pings.
#
# https://discord.com/developers/docs/resources/message#allowed-mentions-object

PARSE_ALL: Json = {"parse": ["users", "roles", "everyone"], "replied_user": True}
# Interactions and webhooks parse only users unless they say otherwise.
PARSE_USERS: Json = {"parse": ["users"], "replied_user": True}

_CODE = re.compile(r"```.*?```|``.*?``|`[^`\n]*`", re.DOTALL)
_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(everyone|here)\b")


@dataclass(frozen=True, slots=True)
class Mentions:
    users: tuple[Json, ...] = ()
    roles: tuple[str, ...] = ()
    everyone: bool = False
    pinged: tuple[str, ...] = ()


def find_mentions(
    state: ServerState,
    author: str,
    channel: Json,
    text: str,
    allowed: Json,
    *,
    replied_to: StoredMessage | None = None,
) -> Mentions:
    """Find the mentions in a text, which is the content and the text displays together.

    Code mentions nobody.
    """
    plain = _CODE.sub(" ", text)
    users = [u for u in _filter_allowed(_USER.findall(plain), "users", allowed) if u in state.users]
    if replied_to is not None and allowed.get("replied_user", False):
        users += [replied_to.author] if replied_to.author in state.users else []  # no webhook
    roles = _mentionable_roles(state, author, channel, _ROLE.findall(plain), allowed)
    everyone = (
        bool(_EVERYONE.search(plain))
        and "everyone" in allowed.get("parse", ())
        and Permission.MENTION_EVERYONE in state.permissions(author, channel)
    )
    unique = tuple(dict.fromkeys(users))
    pinged = dict.fromkeys((*unique, *_members_of(state, channel, roles, everyone=everyone)))
    return Mentions(
        users=tuple(state.users[u] for u in unique),
        roles=tuple(roles),
        everyone=everyone,
        pinged=tuple(u for u in pinged if u != author and state.can_view(u, channel["id"])),
    )


def _filter_allowed(ids: Iterable[str], kind: str, allowed: Json) -> list[str]:
    listed = allowed.get(kind) or ()
    return [i for i in ids if kind in allowed.get("parse", ()) or i in listed]


def _mentionable_roles(
    state: ServerState, author: str, channel: Json, ids: list[str], allowed: Json
) -> list[str]:
    if channel["type"] == ChannelType.DM:
        return []
    roles = {r["id"]: r for r in state.guilds[channel["guild_id"]]["roles"]}
    may = Permission.MENTION_EVERYONE in state.permissions(author, channel)
    return [
        i
        for i in dict.fromkeys(_filter_allowed(ids, "roles", allowed))
        if i in roles and (may or roles[i]["mentionable"])
    ]


def _members_of(
    state: ServerState, channel: Json, roles: list[str], *, everyone: bool
) -> Iterable[str]:
    if channel["type"] == ChannelType.DM:
        return ()
    members = state.members[channel["guild_id"]]
    return [u for u, m in members.items() if everyone or set(roles) & set(m["roles"])]


DEFAULT_MESSAGE = 0
REPLY = 19
REPLYABLE_TYPES = (DEFAULT_MESSAGE, REPLY, 20, 23)  # the last two are answers to commands
FORWARD = 1  # of a message's reference
SNAPSHOT_FIELDS = (
    "type",
    "content",
    "embeds",
    "attachments",
    "timestamp",
    "edited_timestamp",
    "flags",
    "mentions",
    "mention_roles",
    "sticker_items",
    "components",
)
GATEWAY_FIELDS = ("member", "guild_id", "channel_type")  # fields that only events carry
NONCE_SECONDS = 300  # "a few minutes" in Discord's words
REMEMBERED_NONCES = 10_000
MAX_EMOJI = 20  # different reactions on one message


@dataclass(frozen=True, slots=True)
class Origin:
    """The author and the context of a message, which its body does not hold."""

    author: Json
    responds_to: str | None = None
    visible_to: str | None = None
    default_mentions: Json = field(default_factory=lambda: PARSE_ALL)
    extra: Json = field(default_factory=dict)  # more fields: webhook_id, interaction_metadata


class Messages:
    def __init__(self, state: ServerState, cdn: Cdn) -> None:
        self._state = state
        self._cdn = cdn
        self._nonces: OrderedDict[tuple[str, str, str], tuple[float, StoredMessage]] = OrderedDict()

    def post(
        self, channel: Json, body: Json, files: Sequence[File], origin: Origin
    ) -> StoredMessage:
        """Create a message. Return the earlier one where its enforced nonce was used already."""
        if (earlier := self._find_by_nonce(channel, body, origin)) is not None:
            return earlier
        check_body(body, MessageFlag(0), files)
        files = _name_files(body, files)
        flags = MessageFlag(body.get("flags") or 0) & SETTABLE_FLAGS
        loading = MessageFlag(body.get("flags") or 0) & MessageFlag.LOADING
        forwarded = self._find_forwarded(body)
        if not (loading or forwarded or origin.extra.get("type")):
            check_message({**body, "attachments": _file_names(files)}, flags, files)
        self._apply_filters(origin.author["id"], body, files)
        replied_to = None if forwarded else self._find_replied_to(channel, body)
        message = StoredMessage(
            self._build_message(channel, body, origin, flags | loading),
            visible_to=origin.visible_to,
            responds_to=origin.responds_to,
        )
        if replied_to is not None:
            self._add_reply_reference(message, replied_to)
        if forwarded is not None:
            self._add_snapshot(message, forwarded)
        message.data["attachments"] = self._store_files(channel["id"], files)
        self._resolve_media(message)
        self._set_mentions(message, body, origin.default_mentions, replied_to)
        self._state.messages[channel["id"]][message.id] = message
        channel["last_message_id"] = message.id
        if channel["type"] in THREADS:
            channel["message_count"] += 1
            channel["total_message_sent"] += 1
        self._remember_nonce(channel, body, origin, message)
        self._state.publish_message("MESSAGE_CREATE", message)
        return message

    def _apply_filters(self, author: str, body: Json, files: Sequence[File]) -> None:
        if author == self._state.bot["id"]:
            for each in self._state.filters:
                each.check(body, files)

    def edit(
        self,
        message: StoredMessage,
        body: Json,
        files: Sequence[File] = (),
        *,
        responds_to: str | None = None,
    ) -> StoredMessage:
        """Change the fields that `body` holds. A loading message becomes a real one."""
        check_body(body, message.flags & MessageFlag.COMPONENTS_V2, files)
        files = _name_files(body, files)
        flags = self._edited_flags(message, body)
        kept = self._kept_attachments(message, body)
        after: Json = {**message.data, "flags": int(flags)}
        if "content" in body:
            after["content"] = body["content"] or ""
        if "embeds" in body:
            after["embeds"] = _complete_embeds(body["embeds"] or ())
        if "components" in body:
            after["components"] = complete_components(body["components"] or ())
        check_message({**after, "attachments": kept + _file_names(files)}, flags, files)
        self._apply_filters(message.author, after, files)
        was_loading = MessageFlag.LOADING in message.flags
        after["content"] = after["content"].strip()
        after["attachments"] = kept + self._store_files(message.channel, files)
        after["edited_timestamp"] = format_timestamp(self._state.clock.now())
        message.data = after
        self._resolve_media(message)
        if was_loading:  # only the first edit of a loading message pings
            self._set_mentions(message, body, PARSE_USERS)
        self._state.publish_message("MESSAGE_UPDATE", message, responds_to=responds_to)
        return message

    def delete(self, message: StoredMessage) -> None:
        del self._state.messages[message.channel][message.id]
        data = {"id": message.id, "channel_id": message.channel}
        if "guild_id" in message.data:
            data["guild_id"] = message.data["guild_id"]
        self._state.publish(
            "MESSAGE_DELETE",
            data,
            channel=message.channel,
            visible_to=message.visible_to,
            responds_to=message.responds_to,
        )

    def present(self, message: StoredMessage) -> Json:
        """Return the message as the API shows it now, with new signatures on its files' URLs."""
        data = self._render(message)
        if data["type"] == REPLY:
            reference = data["message_reference"]
            channel = self._state.messages.get(reference["channel_id"], {})
            target = channel.get(reference["message_id"])
            data["referenced_message"] = None if target is None else self._render(target)
        return data

    def _render(self, message: StoredMessage) -> Json:
        data = message.to_json()
        for key in (*GATEWAY_FIELDS, "referenced_message"):
            data.pop(key, None)
        data["attachments"] = [
            self._cdn.renew_urls(each, message.channel) for each in data["attachments"]
        ]
        return data

    # --- reactions ----------------------------------------------------------------------------

    def react(self, message: StoredMessage, user: str, emoji: str) -> None:
        if emoji not in message.reactions and len(message.reactions) >= MAX_EMOJI:
            raise DiscordError(400, 30010, f"Maximum number of reactions reached ({MAX_EMOJI})")
        users = message.reactions.setdefault(emoji, [])
        if user not in users:
            users.append(user)
            self._publish_reaction("MESSAGE_REACTION_ADD", message, user, emoji)

    def unreact(self, message: StoredMessage, user: str, emoji: str) -> None:
        users = message.reactions.get(emoji, [])
        if user not in users:
            raise unknown_error("Emoji")
        users.remove(user)
        if not users:
            del message.reactions[emoji]
        self._publish_reaction("MESSAGE_REACTION_REMOVE", message, user, emoji)

    def _publish_reaction(self, event: str, message: StoredMessage, user: str, emoji: str) -> None:
        bot = self._state.bot["id"]
        message.data["reactions"] = [
            {
                "emoji": {"id": None, "name": name},
                "count": len(users),
                "count_details": {"normal": len(users), "burst": 0},
                "burst_colors": [],
                "me": bot in users,
                "me_burst": False,
            }
            for name, users in message.reactions.items()
        ]
        data: dict[str, object] = {
            "user_id": user,
            "channel_id": message.channel,
            "message_id": message.id,
            "message_author_id": message.author,
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": 0,
        }
        if "guild_id" in message.data:
            data["guild_id"] = message.data["guild_id"]
            data["member"] = self._state.members[message.data["guild_id"]][user]
        self._state.publish(event, data, channel=message.channel)

    # --- parts of a message -------------------------------------------------------------------

    def _build_message(self, channel: Json, body: Json, origin: Origin, flags: MessageFlag) -> Json:
        data: Json = {
            "id": self._state.snowflakes.next(),
            "type": DEFAULT_MESSAGE,
            "channel_id": channel["id"],
            "channel_type": channel["type"],
            "author": origin.author,
            "content": (body.get("content") or "").strip(),
            "timestamp": format_timestamp(self._state.clock.now()),
            "edited_timestamp": None,
            "tts": bool(body.get("tts")),
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": _complete_embeds(body.get("embeds") or ()),
            "components": complete_components(body.get("components") or ()),
            "reactions": [],
            "pinned": False,
            "flags": int(flags),
            **origin.extra,
        }
        if body.get("nonce") is not None:
            data["nonce"] = body["nonce"]
        if body.get("poll"):
            data["poll"] = _build_poll(body["poll"], self._state.clock.now())
        if channel["type"] != ChannelType.DM:
            data["guild_id"] = channel["guild_id"]
            member = self._state.members[channel["guild_id"]].get(origin.author["id"])
            if member is not None:
                data["member"] = {k: v for k, v in member.items() if k != "user"}
        return data

    def _find_replied_to(self, channel: Json, body: Json) -> StoredMessage | None:
        reference = body.get("message_reference")
        if not reference:
            return None
        found = self._state.messages[channel["id"]].get(str(reference.get("message_id")))
        if found is not None and found.data["type"] not in REPLYABLE_TYPES:
            raise FormErrors.single(
                "message_reference",
                "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE",
                "Cannot reply to a system message",
            )
        if found is None and reference.get("fail_if_not_exists", True):
            raise FormErrors.single(
                "message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message"
            )
        return found

    def _add_reply_reference(self, message: StoredMessage, replied_to: StoredMessage) -> None:
        message.data |= {
            "type": REPLY,
            "message_reference": _build_reference(0, replied_to),
            "referenced_message": self._render(replied_to),
        }
        message.responds_to = message.responds_to or replied_to.id

    def _find_forwarded(self, body: Json) -> StoredMessage | None:
        """Return the message that this body forwards."""
        reference = body.get("message_reference") or {}
        if reference.get("type") != FORWARD:
            return None
        return self._state.message(str(reference["channel_id"]), str(reference["message_id"]))

    def _add_snapshot(self, message: StoredMessage, forwarded: StoredMessage) -> None:
        """Copy the contents of a forwarded message, without its author."""
        source = (forwarded.data.get("message_snapshots") or [{"message": forwarded.data}])[0]
        copied = {
            key: source["message"][key] for key in SNAPSHOT_FIELDS if key in source["message"]
        }
        message.data |= {
            "message_reference": _build_reference(FORWARD, forwarded),
            "message_snapshots": [{"message": copy.deepcopy(copied)}],
            "flags": message.data["flags"] | MessageFlag.HAS_SNAPSHOT,
        }

    def _set_mentions(
        self,
        message: StoredMessage,
        body: Json,
        default: Json,
        replied_to: StoredMessage | None = None,
    ) -> None:
        allowed = body.get("allowed_mentions")
        found = find_mentions(
            self._state,
            message.author,
            self._state.channels[message.channel],
            f"{message.data['content']}\n{displayed_text(message.data['components'])}",
            default if allowed is None else allowed,
            replied_to=replied_to,
        )
        message.data["mentions"] = list(found.users)
        message.data["mention_roles"] = list(found.roles)
        message.data["mention_everyone"] = found.everyone
        silent = MessageFlag.SUPPRESS_NOTIFICATIONS in message.flags
        message.pinged = () if silent else found.pinged

    def _store_files(self, channel: str, files: Sequence[File]) -> list[Json]:
        return [self._cdn.store(file, channel, self._state.snowflakes.next()) for file in files]

    def _kept_attachments(self, message: StoredMessage, body: Json) -> list[Json]:
        before: list[Json] = message.data["attachments"]
        if "attachments" not in body:
            return before
        wanted = {str(a["id"]) for a in body["attachments"] or ()}
        return [a for a in before if a["id"] in wanted]

    def _edited_flags(self, message: StoredMessage, body: Json) -> MessageFlag:
        """Return the flags after an edit, which can set Components V2 but not remove it."""
        changed = MessageFlag(body.get("flags") or 0)
        flags = message.flags & ~MessageFlag.LOADING | changed & MessageFlag.COMPONENTS_V2
        if "flags" in body:
            flags &= ~MessageFlag.SUPPRESS_EMBEDS
            flags |= changed & MessageFlag.SUPPRESS_EMBEDS
        return flags

    def _resolve_media(self, message: StoredMessage) -> None:
        """Replace `attachment://name` in components and embeds by the file's URL."""
        by_name: dict[str, Json] = {a["filename"]: a for a in message.data["attachments"]}
        places = list(media_items(message.data["components"]))
        for embed in message.data["embeds"]:
            places += [embed[key] for key in ("image", "thumbnail") if embed.get(key)]
        for place in places:
            attachment = by_name.get(str(place.get("url")).removeprefix(UPLOAD))
            if attachment is not None:
                shown = ("url", "proxy_url", "width", "height", "content_type")
                place |= {key: attachment[key] for key in shown if attachment.get(key) is not None}
                place["attachment_id"] = attachment["id"]
            place.setdefault("id", self._state.snowflakes.next())
            place.setdefault("proxy_url", place["url"])
        for part in walk(message.data["components"]):
            if isinstance(part.get("file"), dict):
                name = file_name_of_url(str(part["file"]["url"]))
                part |= {"name": name, "size": by_name.get(name, {}).get("size", 0)}

    # --- nonces -------------------------------------------------------------------------------

    def _find_by_nonce(self, channel: Json, body: Json, origin: Origin) -> StoredMessage | None:
        if not body.get("enforce_nonce") or body.get("nonce") is None:
            return None
        key = (origin.author["id"], channel["id"], str(body["nonce"]))
        sent_at, message = self._nonces.get(key, (0.0, None))
        fresh = self._state.clock.now() - sent_at < NONCE_SECONDS
        return message if fresh else None

    def _remember_nonce(
        self, channel: Json, body: Json, origin: Origin, message: StoredMessage
    ) -> None:
        if body.get("nonce") is None:
            return
        key = (origin.author["id"], channel["id"], str(body["nonce"]))
        self._nonces[key] = (self._state.clock.now(), message)
        while len(self._nonces) > REMEMBERED_NONCES:
            self._nonces.popitem(last=False)


def _complete_embeds(sent: Iterable[Json]) -> list[Json]:
    """Return embeds with the members that Discord adds."""
    embeds = []
    for each in sent:
        embed = {key: value for key, value in each.items() if value is not None}
        if "fields" in embed:
            embed["fields"] = [{"inline": False, **field} for field in embed["fields"]]
        embeds.append({**embed, "type": "rich"})
    return embeds


def _build_poll(body: Json, created: float) -> Json:
    """Build a message's poll from the request for it."""
    answers = []
    for number, answer in enumerate(body["answers"], 1):
        media = answer["poll_media"]
        if media.get("emoji"):
            media = {**media, "emoji": {"id": None, "name": None, **media["emoji"]}}
        answers.append({"answer_id": number, "poll_media": media})
    return {
        "question": {"text": body["question"]["text"]},
        "answers": answers,
        "expiry": format_timestamp(created + (body.get("duration") or 24) * 3600),
        "allow_multiselect": bool(body.get("allow_multiselect")),
        "layout_type": body.get("layout_type") or 1,
        "results": {"is_finalized": False, "answer_counts": []},
    }


def _build_reference(kind: int, message: StoredMessage) -> Json:
    reference = {"type": kind, "channel_id": message.channel, "message_id": message.id}
    if "guild_id" in message.data:
        reference["guild_id"] = message.data["guild_id"]
    return reference


def _name_files(body: Json, files: Sequence[File]) -> list[File]:
    """Give the files the names and descriptions that `attachments` has for them, by index."""
    entries = {str(e.get("id")): e for e in body.get("attachments") or () if is_upload(e)}
    named = []
    for index, file in enumerate(files):
        entry = entries.get(str(index), {})
        name = entry.get("filename") or file.name
        description = entry.get("description") or file.description
        named.append(File(name, file.data, file.media_type, description))
    return named


def _file_names(files: Sequence[File]) -> list[Json]:
    return [{"filename": file.name} for file in files]

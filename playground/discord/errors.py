"""The errors of Discord's API.

Codes: https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from typing import Any

from playground.discord.json_types import Json


class DiscordError(Exception):
    def __init__(
        self, status: int, code: int, message: str, errors: Json | None = None, **extra: Any
    ) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.body: Json = {"message": message, "code": code, **extra}
        if errors is not None:
            self.body["errors"] = errors

    @property
    def code(self) -> int:
        return int(self.body["code"])


UNKNOWN_CODES = {
    "Channel": 10003,
    "Guild": 10004,
    "Member": 10007,
    "Message": 10008,
    "Role": 10011,
    "User": 10013,
    "Emoji": 10014,
    "Webhook": 10015,
    "interaction": 10062,
    "application command": 10063,
}


def unknown_error(thing: str) -> DiscordError:
    return DiscordError(404, UNKNOWN_CODES[thing], f"Unknown {thing}")


def unauthorized_error() -> DiscordError:
    return DiscordError(401, 0, "401: Unauthorized")


def missing_access_error() -> DiscordError:
    return DiscordError(403, 50001, "Missing Access")


def missing_permissions_error() -> DiscordError:
    return DiscordError(403, 50013, "Missing Permissions")


def archived_thread_error() -> DiscordError:
    message = (
        "Tried to perform an operation on an archived thread, such as editing a message or adding "
        "a user to the thread"
    )
    return DiscordError(400, 50083, message)


def too_large_error() -> DiscordError:
    return DiscordError(413, 40005, "Request entity too large")


class FormErrors:
    """Collects the errors of a body into Discord's error tree (code 50035)."""

    def __init__(self) -> None:
        self._tree: Json = {}

    @property
    def is_empty(self) -> bool:
        return not self._tree

    def add(self, path: str, code: str, message: str) -> None:
        """Add an error. `path` is dotted, `embeds.0.description`, or empty for the whole body."""
        node = self._tree
        for key in filter(None, path.split(".")):
            node = node.setdefault(key, {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def merge(self, other: "FormErrors") -> None:
        """Add all errors of another tree."""
        _merge(self._tree, other._tree)

    def raise_if_any(self) -> None:
        if self._tree:
            raise DiscordError(400, 50035, "Invalid Form Body", self._tree)

    @classmethod
    def single(cls, path: str, code: str, message: str) -> DiscordError:
        """Return the error of a body with one mistake."""
        form = cls()
        form.add(path, code, message)
        return DiscordError(400, 50035, "Invalid Form Body", form._tree)


def _merge(into: Json, tree: Json) -> None:
    for key, value in tree.items():
        if key == "_errors":
            into.setdefault(key, []).extend(value)
        else:
            _merge(into.setdefault(key, {}), value)

"""Rate limits: a bucket per route and major parameter, and the global limit.

https://discord.com/developers/docs/topics/rate-limits. Discord does not publish a route's
numbers; these are what bots meet in practice.
"""

import hashlib
import re
import time
from dataclasses import dataclass, field

from playground.discord.json_types import Json

GLOBAL_PER_SECOND = 50
INVALID_LIMIT, INVALID_SECONDS = 10_000, 600.0

# (method, path pattern): how many requests, within how many seconds
_RULES: list[tuple[str, re.Pattern[str], int, float]] = [
    ("POST", re.compile(r"/channels/(\d+)/messages"), 5, 5.0),
    ("PATCH", re.compile(r"/channels/(\d+)/messages/\d+"), 5, 5.0),
    ("DELETE", re.compile(r"/channels/(\d+)/messages/\d+"), 5, 1.0),
    ("PUT", re.compile(r"/channels/(\d+)/messages/\d+/reactions/.*"), 1, 0.25),
    ("POST", re.compile(r"/channels/(\d+)/typing"), 5, 5.0),
    ("POST", re.compile(r"/channels/(\d+)(?:/messages/\d+)?/threads"), 50, 300.0),
    ("POST", re.compile(r"/webhooks/(\d+/[^/]+)"), 5, 2.0),
    ("PATCH", re.compile(r"/webhooks/(\d+/[^/]+)/messages/[^/]+"), 5, 5.0),
    ("PUT", re.compile(r"/applications/(\d+)/.*commands"), 5, 20.0),
]
# These are outside the global limit.
_INTERACTION = re.compile(r"/(?:interactions|webhooks)/")


@dataclass(slots=True)
class Bucket:
    limit: int
    seconds: float
    remaining: int
    resets: float  # monotonic


@dataclass(frozen=True, slots=True)
class Decision:
    headers: dict[str, str] = field(default_factory=dict)
    refusal: Json | None = None  # the body of a 429


class RateLimits:
    """The buckets of all routes. Tests may switch them off by `enabled = False`."""

    def __init__(self) -> None:
        self.enabled = True
        self.refused_count = 0  # 429 answers given
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._global = Bucket(GLOBAL_PER_SECOND, 1.0, GLOBAL_PER_SECOND, 0.0)
        self._invalid = Bucket(INVALID_LIMIT, INVALID_SECONDS, INVALID_LIMIT, 0.0)

    def take(self, method: str, path: str) -> Decision:
        """Count a request, and decide on it. `path` is below /api/v10."""
        if not self.enabled:
            return Decision()
        now = time.monotonic()
        if not _INTERACTION.match(path) and not _take_request(self._global, now):
            return self._refuse(self._global, now, "global")
        for rule_method, pattern, limit, seconds in _RULES:
            match = pattern.fullmatch(path) if rule_method == method else None
            if match is not None:
                name = hashlib.md5(f"{method} {pattern.pattern}".encode()).hexdigest()  # noqa: S324
                key = (name, match.group(1))
                bucket = self._buckets.setdefault(key, Bucket(limit, seconds, limit, 0.0))
                granted = _take_request(bucket, now)
                headers = _build_headers(bucket, now, name)
                if not granted:
                    return self._refuse(bucket, now, "user", headers)
                return Decision(headers)
        return Decision()

    def is_banned(self) -> bool:
        """Return whether Cloudflare would block this address, after too many 401, 403 and 429."""
        return self._invalid.remaining <= 0 and time.monotonic() < self._invalid.resets

    def count_invalid(self) -> None:
        _take_request(self._invalid, time.monotonic())

    def _refuse(
        self, bucket: Bucket, now: float, scope: str, headers: dict[str, str] | None = None
    ) -> Decision:
        self.refused_count += 1
        return build_refusal(max(bucket.resets - now, 0.001), scope, headers or {})


def build_refusal(retry_after: float, scope: str, headers: dict[str, str]) -> Decision:
    """Build a 429 answer. discord.py takes one without `Via` for a ban by Cloudflare."""
    is_global = scope == "global"
    extra = {"Retry-After": f"{retry_after:.3f}", "X-RateLimit-Scope": scope, "Via": "1.1 local"}
    if is_global:
        extra["X-RateLimit-Global"] = "true"
    body = {
        "message": "You are being rate limited.",
        "code": 0,
        "retry_after": round(retry_after, 3),
        "global": is_global,
    }
    return Decision({**headers, **extra}, body)


def _take_request(bucket: Bucket, now: float) -> bool:
    if now >= bucket.resets:
        bucket.remaining, bucket.resets = bucket.limit, now + bucket.seconds
    bucket.remaining -= 1
    return bucket.remaining >= 0


def _build_headers(bucket: Bucket, now: float, name: str) -> dict[str, str]:
    reset_after = max(bucket.resets - now, 0.0)
    return {
        "X-RateLimit-Limit": str(bucket.limit),
        "X-RateLimit-Remaining": str(max(bucket.remaining, 0)),
        "X-RateLimit-Reset": f"{time.time() + reset_after:.3f}",
        "X-RateLimit-Reset-After": f"{reset_after:.3f}",
        "X-RateLimit-Bucket": name,
    }

"""The numbers that govern a queue. Every process of a shard should use the same ones."""

from dataclasses import asdict, dataclass, field

_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class JobLimits:
    """Jobs that may wait or run at once; the next submission raises `QueueFull`."""

    per_user: int = 4
    per_channel: int = 16
    per_server: int = 200
    total: int = 10_000


@dataclass(frozen=True, slots=True)
class Policy:
    lease_ms: int = 15_000  # a worker that is silent for longer loses its jobs
    max_attempts: int = 3  # leases that may expire before a job goes to the dead letters
    limits: JobLimits = field(default_factory=JobLimits)
    result_ttl_ms: int = 24 * _HOUR_MS  # a finished job's record, and so its deduplication
    events_ttl_ms: int = _HOUR_MS  # a finished job's replay
    live_length: int = 10_000  # events a reader's live stream holds, about
    live_ms: int = 60_000  # and their age; a reader that is slower replays
    delivered_ttl_ms: int = _HOUR_MS // 4  # a replay, once its answer was delivered
    delivered_jobs: int = 100  # whose ids are kept for the command `latest`, by reader
    history_turns: int = 200  # of one channel
    history_bytes: int = 4 << 20  # of one channel, if some turns are long
    history_ttl_ms: int = 90 * 24 * _HOUR_MS  # since a channel's last turn
    cleared_ttl_ms: int = _HOUR_MS  # for so long a clear can be undone
    worker_ttl_ms: int = 15_000  # since a worker's last announcement
    dead_length: int = 10_000  # dead letters that are kept, about
    blob_ttl_ms: int = 24 * _HOUR_MS  # since an attachment was last put
    # Bytes that the server may use if it has no maxmemory; 0: three quarters of its machine's.
    memory: int = 0
    memory_reserve: float = 0.25  # of that; kept free of files, half of it also of long jobs
    long_body: int = 16_384  # bytes of a job above which it counts as long
    blob_quota: int = 512 << 20  # bytes of a shard's attachments, as the server stores them
    blob_share: float = 0.5  # of the memory; the attachments' upper limit
    blob_user_share: float = 0.25  # of all attachments, for one user
    blob_server_share: float = 0.5  # and for all members of one server
    blob_fresh_ms: int = 60_000  # so new attachments are not dropped for their user's next one
    charge_tokens: int = 500  # charged at claim while nothing is measured
    learning_rate: float = 0.1  # weight of the newest job in measured averages
    batch: int = 100  # jobs that one script may end at once, so that it stays short
    patience_ms: int = 8_000  # how long a call is repeated before QueueUnavailable

    def to_lua(self) -> str:
        """Render a Lua table. It is part of each script's text, not of each call."""
        values = asdict(self)
        values |= values.pop("limits")
        return f"local policy = {{{', '.join(f'{name} = {n}' for name, n in values.items())}}}\n"

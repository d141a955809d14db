"""The parts of the server, put together."""

from playground.discord.cdn import Cdn
from playground.discord.commands import Commands
from playground.discord.fault_injection import FaultInjector
from playground.discord.gateway import Gateway
from playground.discord.interactions import Interactions
from playground.discord.messages import Messages
from playground.discord.ratelimit import RateLimits
from playground.discord.state import ServerState

_SHORTEST_ID = 15  # digits; a shorter nonce names nothing


class Backend:
    def __init__(self, state: ServerState, *, heartbeat_s: float = 41.25) -> None:
        self.state = state
        self.cdn = Cdn(state.clock)
        self.messages = Messages(state, self.cdn)
        self.commands = Commands(state)
        self.gateway = Gateway(state, heartbeat_s)
        self.interactions = Interactions(state, self.messages, self.gateway.deliver)
        self.rate_limits = RateLimits()
        self.faults = FaultInjector()

    def find_by_nonce(self, nonce: object, channel: str) -> str | None:
        """The interaction or message whose id a nonce begins with ("<last digits>.<part>")."""
        digits = str(nonce or "").split(".")[0]
        if not digits.isdigit() or len(digits) < _SHORTEST_ID:
            return None
        known = (*self.interactions.by_id, *self.state.messages[channel])
        return next((each for each in reversed(known) if each.endswith(digits)), None)

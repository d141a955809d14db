"""The parts of the local Discord, which the REST routes and the users' actions share."""

from playground.discord.cdn import Cdn
from playground.discord.commands import Commands
from playground.discord.fault_injection import FaultInjector
from playground.discord.gateway import Gateway
from playground.discord.interactions import Interactions
from playground.discord.messages import Messages
from playground.discord.ratelimit import RateLimits
from playground.discord.state import ServerState

_SHORTEST_ID = 15  # digits; a shorter nonce is no id


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
        """Return the id of the interaction or message that a nonce begins with.

        The bot's nonces are "<last digits of the id>.<part>".
        """
        digits = str(nonce or "").split(".")[0]
        if not digits.isdigit() or len(digits) < _SHORTEST_ID:
            return None
        known = (*self.interactions.by_id, *self.state.messages[channel])
        return next((each for each in reversed(known) if each.endswith(digits)), None)

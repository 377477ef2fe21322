"""A dialect that is easy to read, and listeners that only write down what they are told."""

from collections.abc import Callable, Sequence
from uuid import UUID

from realtime.hub import Audience, Hub
from realtime.protocol import GoodbyeReason

ENVIRONMENT, OTHER = UUID(int=1), UUID(int=2)
ANN, BOB = UUID(int=11), UUID(int=12)


class Plain:
    def hint(self, reason: str, payload: bytes) -> str:
        del payload
        return reason

    def counts(self, unread: int, unseen: int, version: int) -> str:
        return f"{unread} {unseen} {version}"

    def deliver(self, tellers: Sequence[Callable[[str], object]], told: str) -> None:
        for tell in tellers:
            tell(told)


class Notebook:
    """A listener."""

    def __init__(self, hub: Hub[str], *, answers_pings: bool = True) -> None:
        self.told: list[str] = []
        self.tell = self.told.append
        self.audience: Audience[str] | None = None
        self._hub = hub
        self._answers_pings = answers_pings

    def join(
        self, inbox_id: UUID = ANN, environment_id: UUID = ENVIRONMENT, *, live: bool = True
    ) -> Audience[str]:
        self.audience = self._hub.join(environment_id, inbox_id, self)
        if live:
            self.audience.go_live(self)
        return self.audience

    def expel(self, reason: GoodbyeReason) -> None:
        del reason
        assert self.audience is not None
        self._hub.leave(self.audience, self)

    def make_room(self) -> None:
        if not self._answers_pings:
            self.expel("slow_consumer")


def make_hub(cap: int = 8) -> Hub[str]:
    return Hub(cap, Plain())

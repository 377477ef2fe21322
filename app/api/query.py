"""Query parameters: decoded strictly, each scalar at most once."""

from app.contract import strings
from app.contract.errors import InvalidRequest


class Query:
    """What is wrong is told when it is asked for, so that credentials are judged before the rest."""

    def __init__(self, raw: bytes) -> None:
        self._values: dict[str, list[bytes]] = {}  # values still encoded
        self._bad_name: InvalidRequest | None = None
        for pair in raw.split(b"&") if raw else ():
            name, _, value = pair.partition(b"=")
            try:
                self._values.setdefault(_decode(name, "a query parameter's name"), []).append(value)
            except InvalidRequest as error:
                self._bad_name = error

    def check(self) -> None:
        """Raises InvalidRequest for a bad escape or bad UTF-8 anywhere, also where nobody reads it."""
        if self._bad_name is not None:
            raise self._bad_name
        for name, values in self._values.items():
            for value in values:
                _decode(value, name)

    def one(self, name: str) -> str | None:
        """A scalar's value, None where it is absent. Raises InvalidRequest."""
        values = self._values.get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise InvalidRequest(f"{name} must be given at most once")
        return _decode(values[0], name)

    def all(self, name: str) -> list[str]:
        """A repeatable parameter's values, in order. Raises InvalidRequest."""
        return [_decode(value, name) for value in self._values.get(name, ())]


def _decode(raw: bytes, name: str) -> str:
    return strings.percent_decode(raw.replace(b"+", b" "), name)

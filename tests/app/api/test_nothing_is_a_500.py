"""Whatever bytes a client sends, it gets an answer of the contract: never a 500, always the envelope."""

import asyncio
import json
from typing import Final
from urllib.parse import quote_from_bytes

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.settings import Address
from tests.app.api.wire import Answer, assert_refused, exchange, read_answer, request
from tests.factories import Environment

UNKNOWN: Final = "notif_00000000000000000000000000"

bounded = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # one server for all examples is the point
)

# Text of every kind that JSON can spell, halves of surrogate pairs and U+0000 included.
texts = st.text(st.characters(codec=None), max_size=30)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
times = st.datetimes(timezones=st.none() | st.timezones()).map(lambda moment: moment.isoformat()) | texts
fields = {
    "subscriber_id": texts | values,
    "subscriber_ids": st.lists(texts, min_size=1, max_size=4) | values,
    "category": texts | values,
    "payload": st.dictionaries(texts, values, max_size=3) | values,
    "idempotency_key": texts | values,
    "deliver_at": times | values,
    "expires_at": times | values,
    "created_at": times | values,
    "ttl_seconds": values,
    "preferences": values
    | st.lists(
        st.fixed_dictionaries({"category": texts | values, "channel": st.just("in_app"), "enabled": scalars})
    ),
    "up_to": texts | values | st.fixed_dictionaries({}, optional={"notification": texts, "broadcast": texts}),
}
MUTE: Final = {"category": "news", "channel": "in_app", "enabled": False}
VALID: Final[dict[str, dict[str, object]]] = {
    "/v1/notifications": {"subscriber_id": "ada", "category": "news"},
    "/v1/broadcasts": {"category": "news"},
    "/v1/subscribers/ada": {},
    "/v1/subscribers/ada/tokens": {},
    "/v1/subscribers/ada/preferences": {"preferences": [MUTE]},
    "/v1/inbox/preferences": {"preferences": [MUTE]},
    "/v1/inbox/read-all": {},
}
PUTS: Final = {"/v1/subscribers/ada", "/v1/subscribers/ada/preferences", "/v1/inbox/preferences"}


@st.composite
def nearly_valid(draw: st.DrawFn) -> tuple[str, bytes]:
    """A path, and a body it takes, but for up to two fields."""
    path = draw(st.sampled_from(sorted(VALID)))
    changed = draw(st.lists(st.sampled_from(sorted(fields)), max_size=2))
    return path, spelled({**VALID[path], **{name: draw(fields[name]) for name in changed}})


@st.composite
def hardly_valid(draw: st.DrawFn) -> tuple[str, bytes]:
    path = draw(st.sampled_from(sorted(VALID)))
    return path, draw(values.map(spelled) | st.binary(max_size=60))


escapes = st.binary(max_size=12).map(quote_from_bytes) | st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=12
)
header_values = st.binary(max_size=40).filter(lambda raw: b"\r" not in raw and b"\n" not in raw)


def spelled(body: object) -> bytes:
    """JSON as Python spells it: NaN, Infinity and halves of surrogate pairs pass, as escapes."""
    return json.dumps(body).encode()


def check(answer: Answer) -> None:
    assert answer.status_code < 500, answer
    if answer.status_code >= 400:
        body = answer.json()
        assert isinstance(body, dict)
        assert_refused(answer, answer.status_code, body["error"]["code"])


@bounded
@given(nearly_valid() | hardly_valid())
@example(
    ("/v1/notifications", b'{"category":"a","subscriber_id":"b","deliver_at":"0001-01-01T00:00:00+23:59"}')
)
@example(
    ("/v1/notifications", b'{"category":"a","subscriber_id":"b","expires_at":"9998-12-31T23:59:59.9999999Z"}')
)
@example(("/v1/subscribers/ada", b'{"created_at":"1970-01-01T00:00:00+23:59"}'))
@example(("/v1/subscribers/ada", b'{"created_at":"9998-12-31T23:59:59.999999-23:59"}'))
async def test_bodies(address: Address, environment: Environment, sent: tuple[str, bytes]) -> None:
    path, body = sent
    method = "PUT" if path in PUTS else "POST"
    headers = {
        **environment.subscriber_headers("ada"),
        **environment.management_headers,
        "Content-Type": "application/json",
    }
    if "inbox" in path:
        del headers["Authorization"]  # it would be taken for a token
    check(await exchange(address, request(method, path.encode(), headers, body)))


@bounded
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
    st.lists(
        escapes
        | st.sampled_from(
            [
                *("v1", "inbox", "items", "notifications", "broadcasts", "subscribers", "read", "timeline"),
                *("import", "tokens", "preferences", UNKNOWN, "", "docs", "demo"),
            ]
        ),
        max_size=5,
    ),
    st.sampled_from(["management", "subscriber"]),
)
async def test_paths(
    address: Address, environment: Environment, method: str, segments: list[str], plane: str
) -> None:
    headers = (
        environment.management_headers if plane == "management" else environment.subscriber_headers("ada")
    )
    target = "/" + "/".join(segments)
    check(await exchange(address, request(method, target.encode(), headers)))


@bounded
@given(escapes)
async def test_subscriber_ids(address: Address, environment: Environment, subscriber_id: str) -> None:
    target = f"/v1/subscribers/{subscriber_id.replace('?', '%3F')}".encode()
    check(await exchange(address, request("PUT", target, environment.management_headers)))


@bounded
@given(
    st.sampled_from(
        [
            *("/v1/inbox/items", "/v1/inbox/counts", "/v1/notifications", "/v1/broadcasts"),
            *("/v1/subscribers", "DELETE /v1/notifications"),
        ]
    ),
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    *("limit", "cursor", "filter", "category", "environment", "subscriber_id", "token"),
                    *("status", "after", "before", "by", "idempotency_key"),
                ]
            )
            | escapes,
            st.integers().map(str)
            | st.sampled_from(
                ["unread", "archived", "a.*", "bjE", "A" * 22, "_" * 32, "scheduled", "category"]
            )
            | times.map(lambda text: quote_from_bytes(text.encode(errors="surrogatepass")))
            | escapes,
        ),
        max_size=4,
    ),
)
@example("/v1/notifications", [("after", "9998-12-31T23:59:59.999999-23:59")])
@example("/v1/notifications", [("before", "1970-01-01T00:00:00Z")])
@example("/v1/notifications", [("cursor", "_" * 21 + "w")])
@example("/v1/subscribers", [("cursor", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")])
async def test_queries(
    address: Address, environment: Environment, where: str, pairs: list[tuple[str, str]]
) -> None:
    method, path = where.split(" ") if " " in where else ("GET", where)
    is_inbox = path.startswith("/v1/inbox")
    headers = environment.subscriber_headers("ada") if is_inbox else environment.management_headers
    query = "&".join(f"{name}={value}" for name, value in pairs)
    check(await exchange(address, request(method, f"{path}?{query}".encode(), headers)))


@bounded
@given(
    st.lists(
        st.binary(max_size=40)
        | st.fixed_dictionaries({"subscriber_id": texts}, optional={"created_at": times}).map(spelled),
        max_size=5,
    )
)
async def test_imports(address: Address, environment: Environment, lines: list[bytes]) -> None:
    headers = {**environment.management_headers, "Content-Type": "application/x-ndjson"}
    answer = await exchange(address, request("POST", b"/v1/subscribers/import", headers, b"\n".join(lines)))
    assert answer.status_code == 200


@bounded
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "X-Bellwire-Environment",
                "X-Bellwire-Subscriber",
                "X-Bellwire-Subscriber-Hash",
                "X-Chimely-Environment",
                "X-Chimely-Subscriber",
                "X-Chimely-Subscriber-Hash",
                "If-None-Match",
                "Content-Type",
                "Origin",
                "Accept-Encoding",
            ]
        ),
        header_values,
        max_size=5,
    ),
    st.none() | header_values | escapes.map(str.encode),
)
async def test_headers(
    address: Address, environment: Environment, headers: dict[str, bytes], bearer: bytes | None
) -> None:
    """Over a valid proof, so that what is not an identity header is reached too."""
    valid: dict[str, bytes] = {
        name: value.encode() for name, value in environment.subscriber_headers("ada").items()
    }
    if bearer is not None:
        valid["Authorization"] = b"Bearer " + bearer
    lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in {**valid, **headers}.items())
    check(await exchange(address, b"GET /v1/inbox/items HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n"))


@bounded
@given(st.binary(min_size=1, max_size=200))
@example(b"\r\n\r\n")
@example(b"GET / HTTP/9.9\r\n\r\n")
@example(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
@example(b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
async def test_anything_at_all(address: Address, junk: bytes) -> None:
    """Perhaps no request yet; then the server waits. What it does answer is in the envelope."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(junk)
    writer.write_eof()
    try:
        check(await asyncio.wait_for(read_answer(reader), 10))
    except (asyncio.IncompleteReadError, ConnectionResetError):
        pass
    finally:
        writer.close()

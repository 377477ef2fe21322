"""Whatever bytes an administrator sends, or who would like to be one, the answer is the contract's."""

from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.settings import Address
from tests.app.api.admin.people import Admin
from tests.app.api.test_nothing_is_a_500 import bounded, check, escapes, header_values, spelled, texts, values
from tests.app.api.wire import exchange, request

NOBODY: Final = "adm_00000000000000000000000000"
fewer = settings(bounded, max_examples=75)
# Without what succeeds and takes a password's time each.
fields = {
    "email": texts | values,
    "name": texts | values,
    "role": st.sampled_from(["viewer", "admin"]) | texts | values,
    "password": st.just("x" * 12) | values,
    "current_password": values,
    "disabled": st.booleans() | values,
}
paths = st.sampled_from(["login", "users", f"users/{NOBODY}", f"users/{NOBODY}/password", "logout"])


@fewer
@given(
    st.sampled_from(["POST", "PATCH", "DELETE"]),
    paths,
    st.fixed_dictionaries({}, optional=fields).map(spelled) | values.map(spelled) | st.binary(max_size=60),
)
@example("POST", "users", b'{"email":"\\ud800@x","name":"x","role":"viewer","password":"aaaaaaaaaaaa"}')
@example("POST", "users", b'{"email":"x@\\u0000","name":"x","role":"viewer","password":"aaaaaaaaaaaa"}')
@example(
    "POST", "users", '{"email":"\u0130@x","name":"x","role":"viewer","password":"aaaaaaaaaaaa"}'.encode()
)
async def test_bodies(address: Address, grace: Admin, method: str, path: str, body: bytes) -> None:
    headers = {**grace.headers, "Content-Type": "application/json"}
    check(await exchange(address, request(method, f"/admin/api/{path}".encode(), headers, body)))


@fewer
@given(
    st.sampled_from(["GET", "POST", "PATCH", "PUT", "OPTIONS"]),
    st.lists(escapes | st.sampled_from(["users", "audit", "password", NOBODY, ""]), max_size=3),
    st.lists(st.tuples(st.sampled_from(["limit", "cursor"]) | escapes, escapes), max_size=2),
)
@example("GET", ["users"], [("cursor", "_" * 21 + "w")])
@example("GET", ["audit"], [("cursor", "A" * 22)])
async def test_paths_and_queries(
    address: Address, grace: Admin, method: str, segments: list[str], pairs: list[tuple[str, str]]
) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs)
    target = f"/admin/api/{'/'.join(segments)}?{query}".encode()
    check(await exchange(address, request(method, target, grace.headers)))


@fewer
@given(header_values | header_values.map(lambda raw: b"bellwire_admin=" + raw), header_values)
async def test_cookies_and_headers(address: Address, cookie: bytes, header: bytes) -> None:
    head = b"POST /admin/api/logout HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
    answer = await exchange(
        address, head + b"Cookie: " + cookie + b"\r\nX-Bellwire-Admin: " + header + b"\r\n\r\n"
    )
    check(answer)

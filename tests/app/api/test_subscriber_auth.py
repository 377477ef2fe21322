"""A subscriber proves who it is: by an HMAC or a token, in headers or in the query."""

import time

import httpx
import jwt
import pytest

from app.db.pool import Pool
from app.security import keys, proofs
from app.settings import Address
from tests.app.api.wire import assert_refused, exchange, request
from tests.factories import Environment, make_environment

COUNTS = "/v1/inbox/counts"


def token(environment: Environment, subscriber_id: str = "ada", **claims: object) -> str:
    """A valid token, but for the claims given; None leaves one out."""
    default = {"sub": subscriber_id, "env": environment.slug, "exp": int(time.time()) + 60}
    merged = {name: value for name, value in {**default, **claims}.items() if value is not None}
    return jwt.encode(merged, environment.secret, "HS256")


async def subscribers(pool: Pool) -> list[str]:
    return [row[0] for row in await pool.fetch("SELECT subscriber_id FROM subscribers ORDER BY 1")]


async def test_each_mistake_has_its_answer_and_leaves_nothing(
    client: httpx.AsyncClient, environment: Environment, pool: Pool, subtests: pytest.Subtests
) -> None:
    slug, secret = environment.slug, environment.secret
    proof = proofs.subscriber_hash(secret, "ada")
    for given, status in (
        ({}, 401),
        ({"X-Bellwire-Subscriber": "ada", "X-Bellwire-Subscriber-Hash": proof}, 401),
        ({"X-Bellwire-Environment": slug}, 401),
        ({"X-Bellwire-Environment": "nope", "X-Bellwire-Subscriber": "ada"}, 401),
        ({"X-Bellwire-Environment": "nope", "X-Bellwire-Subscriber": "x" * 256}, 400),
        ({"X-Bellwire-Environment": slug, "X-Bellwire-Subscriber": "x" * 256}, 400),
        ({"X-Bellwire-Environment": slug, "X-Bellwire-Subscriber": "%C3%A9" * 128}, 400),
        ({"X-Bellwire-Environment": slug, "X-Bellwire-Subscriber": "%zz"}, 400),
        ({"X-Bellwire-Environment": slug, "X-Bellwire-Subscriber": "100%"}, 400),
        ({"X-Bellwire-Environment": slug, "X-Bellwire-Subscriber": "%ff"}, 400),
        ({"X-Bellwire-Environment": slug, "X-Bellwire-Subscriber": "a%00"}, 400),
        ({"X-Bellwire-Environment": slug, "X-Bellwire-Subscriber": "ada"}, 401),
        (
            {
                "X-Bellwire-Environment": slug,
                "X-Bellwire-Subscriber": "bob",
                "X-Bellwire-Subscriber-Hash": proof,
            },
            401,
        ),
        (
            {
                "X-Bellwire-Environment": slug,
                "X-Bellwire-Subscriber": "ada",
                "X-Bellwire-Subscriber-Hash": "0" * 64,
            },
            401,
        ),
        (
            {
                "X-Bellwire-Environment": slug,
                "X-Bellwire-Subscriber": "ada",
                "X-Bellwire-Subscriber-Hash": proof[:-1],
            },
            401,
        ),
    ):
        with subtests.test(given=given):
            code = "unauthorized" if status == 401 else "invalid_request"
            assert_refused(await client.get(COUNTS, headers=given), status, code)
    assert await subscribers(pool) == []


async def test_a_proof_may_travel_in_headers_aliases_or_query(
    client: httpx.AsyncClient, environment: Environment, pool: Pool, subtests: pytest.Subtests
) -> None:
    own = environment.subscriber_headers("ada")
    alias = {name.replace("Bellwire", "Chimely"): value for name, value in own.items()}
    upper = {**own, "X-Bellwire-Subscriber-Hash": own["X-Bellwire-Subscriber-Hash"].upper()}
    nothing = dict.fromkeys(own, "")
    for how, headers, query in (
        ("own", own, {}),
        ("alias", alias, {}),
        ("upper-case hex", upper, {}),
        ("query", {}, environment.subscriber_query("ada")),
        ("empty headers fall through", nothing, environment.subscriber_query("ada")),
        ("own before alias", {**own, "X-Chimely-Subscriber": "bob"}, {}),
        ("header before query", own, environment.subscriber_query("bob")),
        ("mixed", {"X-Bellwire-Environment": environment.slug}, environment.subscriber_query("ada")),
    ):
        with subtests.test(how=how):
            assert (await client.get(COUNTS, headers=headers, params=query)).status_code == 200
    assert await subscribers(pool) == ["ada"]


async def test_ids_are_percent_decoded_in_our_header_and_taken_as_they_are_in_the_alias(
    address: Address, environment: Environment, pool: Pool, subtests: pytest.Subtests
) -> None:
    for subscriber_id, name, value in (
        ("a/b?c", "X-Bellwire-Subscriber", "a%2Fb%3Fc"),
        ("é", "X-Bellwire-Subscriber", "%C3%A9"),
        ("50%", "X-Bellwire-Subscriber", "50%25"),
        ("a+b", "X-Bellwire-Subscriber", "a+b"),
        ("50%zz", "X-Chimely-Subscriber", "50%zz"),
    ):
        with subtests.test(subscriber_id=subscriber_id):
            headers = {
                "X-Bellwire-Environment": environment.slug,
                name: value,
                "X-Bellwire-Subscriber-Hash": proofs.subscriber_hash(environment.secret, subscriber_id),
            }
            answer = await exchange(address, request("GET", COUNTS.encode(), headers))
            assert answer.status_code == 200
    assert await subscribers(pool) == sorted(["a/b?c", "é", "50%", "a+b", "50%zz"])


async def test_an_alias_with_bytes_beyond_ascii_counts_as_absent(
    client: httpx.AsyncClient, environment: Environment
) -> None:
    headers = httpx.Headers(
        {"X-Chimely-Environment": environment.slug, "X-Chimely-Subscriber": "adé"}, encoding="utf-8"
    )
    assert_refused(await client.get(COUNTS, headers=headers), 401, "unauthorized", "subscriber is missing")


async def test_a_previous_secret_still_proves(
    client: httpx.AsyncClient, environment: Environment, pool: Pool
) -> None:
    await pool.execute(
        "UPDATE environments SET previous_secret = secret, secret = $1", keys.new_environment_secret()
    )
    headers = environment.subscriber_headers("ada")
    assert (await client.get(COUNTS, headers=headers)).status_code == 200
    bearer = {"Authorization": f"Bearer {token(environment)}"}
    assert (await client.get(COUNTS, headers=bearer)).status_code == 200


async def test_where_no_proof_is_required_a_wrong_one_is_still_wrong(
    client: httpx.AsyncClient, pool: Pool
) -> None:
    open_one = await make_environment(pool, "open", require_subscriber_hash=False)
    headers = {"X-Bellwire-Environment": "open", "X-Bellwire-Subscriber": "ada"}
    assert (await client.get(COUNTS, headers=headers)).status_code == 200
    wrong = {**headers, "X-Bellwire-Subscriber-Hash": "0" * 64}
    assert_refused(await client.get(COUNTS, headers=wrong), 401, "unauthorized")
    expired = {"Authorization": f"Bearer {token(open_one, exp=1)}"}
    assert_refused(await client.get(COUNTS, headers=expired), 401, "unauthorized")


async def test_a_token_carries_all_three(
    client: httpx.AsyncClient, environment: Environment, pool: Pool
) -> None:
    bearer = {"Authorization": f"Bearer {token(environment)}"}
    assert (await client.get(COUNTS, headers=bearer)).status_code == 200
    assert (await client.get(COUNTS, params={"token": token(environment, "bob")})).status_code == 200
    agreeing = {**bearer, "X-Bellwire-Environment": environment.slug, "X-Bellwire-Subscriber": "ada"}
    assert (await client.get(COUNTS, headers=agreeing)).status_code == 200
    decided = {**agreeing, "X-Bellwire-Subscriber-Hash": "wrong"}
    assert (await client.get(COUNTS, headers=decided)).status_code == 200
    assert await subscribers(pool) == ["ada", "bob"]


async def test_a_token_with_anything_wrong_is_401(
    client: httpx.AsyncClient, environment: Environment, pool: Pool, subtests: pytest.Subtests
) -> None:
    now = int(time.time())
    unsigned = jwt.encode({"sub": "ada", "env": environment.slug, "exp": now + 60}, None, "none")
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        other = jwt.encode(
            {"sub": "ada", "env": environment.slug, "exp": now + 60}, environment.secret, "HS512"
        )
    for given in (
        token(environment, exp=now - 1),
        token(environment, exp=None),
        token(environment, exp="soon"),
        token(environment, exp=10**400),
        token(environment, nbf=now + 60),
        token(environment, sub=None),
        token(environment, sub=""),
        token(environment, sub=7),
        token(environment, sub="x" * 256),
        token(environment, sub="a\0b"),
        token(environment, sub="\ud800"),
        token(environment, env=None),
        token(environment, env="nope"),
        token(environment, env=7),
        token(environment, env="\ud800"),
        token(environment, env="a\0b"),
        token(environment)[:-2],
        unsigned,
        other,
        "a.b.c",
        "...",
        "é",
        "x" * 8000,
    ):
        with subtests.test(token=given[:60]):
            answer = await client.get(COUNTS, params={"token": given})
            assert_refused(answer, 401, "unauthorized")
    bearer = {"Authorization": f"Bearer {token(environment)}"}
    for contradicting in ({"X-Bellwire-Subscriber": "bob"}, {"X-Bellwire-Environment": "other"}):
        with subtests.test(contradicting=contradicting):
            assert_refused(await client.get(COUNTS, headers={**bearer, **contradicting}), 401, "unauthorized")
    assert await subscribers(pool) == []


async def test_credentials_given_twice_are_400(
    client: httpx.AsyncClient, environment: Environment, subtests: pytest.Subtests
) -> None:
    proven = environment.subscriber_query("ada")
    for name in (*proven, "token"):
        with subtests.test(name=name):
            twice = httpx.QueryParams([*proven.items(), (name, "x"), (name, "y")])
            assert_refused(await client.get(COUNTS, params=twice), 400, "invalid_request", name)
            headers = environment.subscriber_headers("ada")
            answer = await client.get(COUNTS, params=[(name, "x"), (name, "y")], headers=headers)
            assert_refused(answer, 400, "invalid_request", name)


async def test_whoever_is_authenticated_exists_whatever_becomes_of_the_request(
    client: httpx.AsyncClient, environment: Environment, pool: Pool, subtests: pytest.Subtests
) -> None:
    unknown = "notif_00000000000000000000000000"
    for number, (method, path, body, status) in enumerate(
        (
            ("GET", COUNTS, b"", 200),
            ("GET", "/v1/inbox/items", b"", 200),
            ("GET", "/v1/inbox/items?limit=0", b"", 400),
            ("GET", "/v1/inbox/items?a=%zz", b"", 400),
            ("POST", f"/v1/inbox/notifications/{unknown}/read", b"", 404),
            ("POST", "/v1/inbox/notifications/malformed/read", b"", 404),
            ("POST", "/v1/inbox/read-all", b"", 200),
            ("POST", "/v1/inbox/read-all", b"{", 400),
            ("POST", "/v1/inbox/read-all", b"x" * (2 << 20), 413),
        )
    ):
        with subtests.test(method=method, path=path, status=status):
            headers = environment.subscriber_headers(f"user_{number}")
            answer = await client.request(method, path, content=body, headers=headers)
            assert answer.status_code == status
            assert f"user_{number}" in await subscribers(pool)

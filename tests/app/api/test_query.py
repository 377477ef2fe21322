"""Query parameters: strict, each scalar once, unknown ones ignored."""

import httpx
import pytest

from tests.app.api.wire import assert_refused


async def test_bad_parameters_of_a_page_are_400_and_named(
    ada: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    for query, named in (
        ("limit=", "limit"),
        ("limit", "limit"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=+5", "limit"),
        ("limit=5.0", "limit"),
        ("limit=1e1", "limit"),
        ("limit=ten", "limit"),
        ("limit=%D9%A5", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=5&limit=5", "limit"),
        ("cursor=", "cursor"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=eDE3OTU2MjM1NzEwOTI4MDg", "cursor"),
        ("cursor=bi0x", "cursor"),
        ("cursor=bjk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "cursor"),
        ("cursor=%E2%82%AC", "cursor"),
        ("cursor=a&cursor=b", "cursor"),
        ("filter=", "filter"),
        ("filter=read", "filter"),
        ("filter=Unread", "filter"),
        ("filter=unread&filter=unread", "filter"),
        ("category=", "category"),
        ("category=.*", "category"),
        ("category=" + "x" * 256, "category"),
        ("category=" + "%C3%A9" * 128, "category"),
        ("category=a%00", "category"),
        ("&".join(f"category=c{n}" for n in range(21)), "category"),
        ("category=%ff", "category"),
        ("category=%zz", "category"),
        ("category=%", "category"),
        ("anything=%zz", "anything"),
        ("%zz", "name"),
        ("%ff=1", "name"),
    ):
        with subtests.test(query=query[:60]):
            answer = await ada.get(f"/v1/inbox/items?{query}")
            assert_refused(answer, 400, "invalid_request", named)


async def test_good_parameters_are_good(ada: httpx.AsyncClient, subtests: pytest.Subtests) -> None:
    for query in (
        "",
        "&&",
        "limit=1",
        "limit=100",
        "cursor=bjE",
        "cursor=bjE&filter=unread&category=a&limit=3",
        "l%69mit=5",
        "filter=archived",
        "unknown=1&unknown=2&x",
        "&".join(f"category=c{n}" for n in range(20)),
        "category=" + "x" * 255,
        "category=a.*",
        "category=*",
        "category=a%26b%3Dc",
        "category=a+b",
    ):
        with subtests.test(query=query[:60]):
            assert (await ada.get(f"/v1/inbox/items?{query}")).status_code == 200


async def test_a_plus_is_a_space(ada: httpx.AsyncClient, backend: httpx.AsyncClient) -> None:
    await backend.post("/v1/notifications", json={"subscriber_id": "ada", "category": "a b"})
    assert len((await ada.get("/v1/inbox/items?category=a+b")).json()["items"]) == 1
    assert len((await ada.get("/v1/inbox/items?category=a%2Bb")).json()["items"]) == 0


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/admin", "/v1/inbox/counts"]
)
async def test_a_query_that_nobody_reads_is_decoded_too(ada: httpx.AsyncClient, path: str) -> None:
    for query in ("x=%zz", "x=%ff", "%zz", "x=%"):
        assert_refused(await ada.get(f"{path}?{query}"), 400, "invalid_request")
    assert (await ada.get(f"{path}?x=%25&x=1&y")).status_code == 200
    assert_refused(await ada.get("/nowhere?x=%zz"), 404, "not_found")
    assert_refused(await ada.patch(f"{path}?x=%zz"), 405, "method_not_allowed")

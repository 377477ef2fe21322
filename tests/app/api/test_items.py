"""GET /v1/inbox/items: pages, views, and ETags that tell equal pages from others."""

import httpx
import pytest

PATH = "/v1/inbox/items"


async def send(backend: httpx.AsyncClient, category: str = "news", subscriber_id: str = "ada") -> str:
    """The id of what was sent."""
    body = {"subscriber_id": subscriber_id, "category": category}
    return (await backend.post("/v1/notifications", json=body)).json()["notifications"][0]["id"]


async def broadcast(backend: httpx.AsyncClient, category: str = "news") -> str:
    return (await backend.post("/v1/broadcasts", json={"category": category})).json()["id"]


async def listed(person: httpx.AsyncClient, **params: str | list[str]) -> list[str]:
    """The ids of a first page."""
    return [item["id"] for item in (await person.get(PATH, params=params)).json()["items"]]


async def test_a_new_person_has_an_empty_inbox(ada: httpx.AsyncClient) -> None:
    answer = await ada.get(PATH)
    assert answer.content == b'{"items":[],"next_cursor":null}'
    assert answer.headers["cache-control"] == "private, max-age=0"
    assert answer.headers["etag"].startswith('"')


async def test_both_sources_page_in_one_order(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    await ada.get("/v1/inbox/counts")
    sent = [await (send(backend) if number % 3 else broadcast(backend)) for number in range(10)]
    found: list[str] = []
    pages, cursor = 0, None
    while pages == 0 or cursor is not None:
        page = (await ada.get(PATH, params={"limit": 3, **({"cursor": cursor} if cursor else {})})).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        pages += 1
    assert found == sent[::-1]
    assert pages == 4


async def test_the_cursor_is_null_exactly_when_nothing_follows(
    backend: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    for _ in range(4):
        await send(backend)
    assert (await ada.get(PATH, params={"limit": 4})).json()["next_cursor"] is None
    assert (await ada.get(PATH, params={"limit": 3})).json()["next_cursor"] is not None


async def test_twenty_by_default(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    for _ in range(21):
        await send(backend)
    page = (await ada.get(PATH)).json()
    assert len(page["items"]) == 20
    assert page["next_cursor"] is not None


async def test_views_and_categories(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    plain, dotted, deep = [await send(backend, category) for category in ("a", "a.b", "a.b.c")]
    other = await broadcast(backend, "other")
    await ada.post(f"/v1/inbox/notifications/{plain}/read")
    await ada.post(f"/v1/inbox/broadcasts/{other}/archive")
    assert await listed(ada) == [deep, dotted, plain]
    assert await listed(ada, filter="unread") == [deep, dotted]
    assert await listed(ada, filter="archived") == [other]
    assert await listed(ada, category="a") == [plain]
    assert await listed(ada, category="a.*") == [deep, dotted]
    assert await listed(ada, category=["a", "a.b", "other"]) == [dotted, plain]
    assert await listed(ada, category="other", filter="archived") == [other]


async def test_a_matching_etag_is_304_with_the_same_headers(
    ada: httpx.AsyncClient, subtests: pytest.Subtests
) -> None:
    first = await ada.get(PATH)
    etag = first.headers["etag"]
    for sent in (etag, f"W/{etag}", "*", f'"other", {etag}', f'W/"x",W/{etag} , "y"', f'"a,b",{etag}'):
        with subtests.test(sent=sent):
            answer = await ada.get(PATH, headers={"If-None-Match": sent})
            assert answer.status_code == 304
            assert answer.content == b""
            for name in ("etag", "cache-control", "vary"):
                assert answer.headers[name] == first.headers[name]
    for sent in ('"other"', etag[1:-1], '"*"', etag.upper(), "", '"', "\u00ff"):
        with subtests.test(sent=sent):
            headers = httpx.Headers({"If-None-Match": sent}, encoding="latin-1")
            assert (await ada.get(PATH, headers=headers)).status_code == 200
    several = [("If-None-Match", '"other"'), ("If-None-Match", etag)]
    assert (await ada.get(PATH, headers=several)).status_code == 304


async def test_every_change_moves_the_etag(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    async def etag() -> str:
        return (await ada.get(PATH)).headers["etag"]

    seen = [await etag()]
    item = await send(backend)
    seen.append(await etag())
    announcement = await broadcast(backend)
    seen.append(await etag())
    for path in (
        f"notifications/{item}/read",
        f"broadcasts/{announcement}/read",
        f"notifications/{item}/unread",
        f"notifications/{item}/archive",
        f"broadcasts/{announcement}/unread",
        "read-all",
        "archive-all",
    ):
        await ada.post(f"/v1/inbox/{path}")
        seen.append(await etag())
    assert len(set(seen)) == len(seen)


async def test_a_no_op_leaves_the_etag(backend: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    item = await send(backend)
    await ada.post(f"/v1/inbox/notifications/{item}/read")
    etag = (await ada.get(PATH)).headers["etag"]
    await ada.post(f"/v1/inbox/notifications/{item}/read")
    await ada.post(f"/v1/inbox/notifications/{item}/unarchive")
    assert (await ada.get(PATH, headers={"If-None-Match": etag})).status_code == 304


async def test_the_etag_tells_one_page_from_another(ada: httpx.AsyncClient) -> None:
    queries = (
        "",
        "limit=5",
        "filter=unread",
        "filter=archived",
        "category=a",
        "category=a.*",
        "cursor=bjE",
        "cursor=YjE",
    )
    etags = [(await ada.get(f"{PATH}?{query}")).headers["etag"] for query in queries]
    assert len(set(etags)) == len(etags)

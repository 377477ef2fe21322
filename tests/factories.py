"""What tests begin with."""

from uuid import UUID

import msgspec

from app.contract.resources import Page
from app.db import api_keys, environments
from app.db.pool import Pool
from app.security import keys, proofs
from app.services.inbox import PageReply


class Environment(msgspec.Struct, frozen=True):
    id: UUID
    slug: str
    secret: str
    api_key: str

    def subscriber_headers(self, subscriber_id: str) -> dict[str, str]:
        """Headers of a request by this subscriber, with an HMAC proof."""
        return {
            "X-Bellwire-Environment": self.slug,
            "X-Bellwire-Subscriber": subscriber_id.replace("%", "%25"),
            "X-Bellwire-Subscriber-Hash": proofs.subscriber_hash(self.secret, subscriber_id),
        }

    def subscriber_query(self, subscriber_id: str) -> dict[str, str]:
        """The same as query parameters, for sockets and streams."""
        return {
            "environment": self.slug,
            "subscriber_id": subscriber_id,
            "subscriber_hash": proofs.subscriber_hash(self.secret, subscriber_id),
        }

    @property
    def management_headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}


async def make_environment(pool: Pool, slug: str, *, require_subscriber_hash: bool = True) -> Environment:
    secret, api_key = keys.new_environment_secret(), keys.new_api_key()
    async with pool.acquire() as connection:
        environment_id = await environments.insert_environment(
            connection,
            slug=slug,
            name=slug.title(),
            require_subscriber_hash=require_subscriber_hash,
            secret=secret,
        )
        assert environment_id is not None
        await api_keys.insert_api_key(
            connection,
            environment_id,
            name="test",
            key_hash=keys.key_hash(api_key),
            key_prefix=keys.display_prefix(api_key),
        )
    return Environment(environment_id, slug, secret, api_key)


def page_of(reply: PageReply) -> Page:
    """What it says, which is spelled as the Structs are."""
    assert reply.page is not None
    page = msgspec.json.decode(reply.page, type=Page)
    assert reply.page == msgspec.json.encode(page)
    return page

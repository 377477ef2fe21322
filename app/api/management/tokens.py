"""/v1/subscribers/{id}/tokens."""

from typing import Final

import msgspec
from litestar import post

from app.api import replies
from app.api.auth import require_api_key
from app.api.describe import Answer, Operation, describe
from app.api.management.parameters import subscriber_id
from app.api.replies import Reply
from app.api.request import Request
from app.contract.requests import TokenRequest
from app.contract.resources import Token

_MINT: Final = msgspec.json.Decoder(TokenRequest)


@post(
    "/v1/subscribers/{subscriber_id:str}/tokens",
    before_request=require_api_key,
    opt=describe(
        Operation(
            summary="Mint a subscriber's token",
            tag="Subscribers",
            body=TokenRequest,
            body_required=False,
            examples={"For ten minutes": {"ttl_seconds": 600}},
            answers={201: Answer("The token: hand it to this person's front end.", Token)},
        )
    ),
)
async def mint_token(request: Request) -> Reply:
    """A proof that ends by itself, instead of an HMAC. Creates the person where they are new."""
    wanted = await request.decode_optional(_MINT)
    ttl_s = None if wanted is None else wanted.ttl_seconds
    token = await request.services.tokens.mint(request.api_key.environment_id, subscriber_id(request), ttl_s)
    return replies.json(token, (b"cache-control", b"no-store"), status=201)

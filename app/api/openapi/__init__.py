"""The OpenAPI 3.1 document: built from the routes, what they say of themselves, and the Structs they use."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler

from app.api import routes
from app.api.describe import operation_of
from app.api.errors import Envelope
from app.api.openapi import operations, prose, schemas

Json = dict[str, Any]


def document() -> str:
    """The document as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(build(routes.HANDLERS)), indent=2).decode()


def build(handlers: Sequence[HTTPRouteHandler]) -> Json:
    """Handlers that say nothing of themselves are left out."""
    paths: dict[str, Json] = {}
    shapes: dict[Any, None] = {Envelope: None}  # a set in order
    for handler in handlers:
        operation = operation_of(handler.opt)
        if operation is None:
            continue
        for method in handler.http_methods:
            paths.setdefault(operations.path_of(handler), {})[method.lower()] = operations.build(
                handler, operation
            )
        for shape in (operation.body, *(answer.shape for answer in operation.answers.values())):
            if shape is not None:
                shapes.update(dict.fromkeys(shape if isinstance(shape, tuple) else (shape,)))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bellwire",
            "version": version("bellwire"),
            "summary": "The small, exact, fast notification inbox.",
            "description": prose.INTRODUCTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": text} for name, text in prose.TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.components(shapes),
            "responses": {code: operations.error(code) for code in prose.ERRORS},
            "securitySchemes": prose.SECURITY_SCHEMES,
        },
    }

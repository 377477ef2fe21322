"""The document once more, as OpenAPI 3.0: the packaged Swagger UI reads no 3.1 yet."""

from typing import Any

Json = dict[str, Any]

_NULL = {"type": "null"}


def downgrade(document: Json) -> Json:
    """Does what this document needs, not what any might."""
    found: Json = _walk(document)
    info: Json = {name: value for name, value in found["info"].items() if name != "summary"}
    info["license"] = {"name": info["license"]["name"]}
    return {**found, "openapi": "3.0.3", "info": info}


def _walk(node: Any) -> Any:
    match node:
        case {"anyOf": [*choices], **rest} if _NULL in choices:
            left = [_walk(choice) for choice in choices if choice != _NULL]
            kept = {"allOf": left} if len(left) == 1 and "$ref" in left[0] else {"anyOf": left}
            schema = left[0] if len(left) == 1 and "$ref" not in left[0] else kept
            return {**schema, **_walk(rest), "nullable": True}
        case {"type": _, "examples": [example, *_], **rest}:
            return {"type": node["type"], **_walk(rest), "example": example}
        case dict():
            return {name: _walk(value) for name, value in node.items()}
        case list():
            return [_walk(value) for value in node]
        case _:
            return node

"""The document once more, as OpenAPI 3.0: the packaged Swagger UI reads no 3.1."""

from typing import Any, Final

Json = dict[str, Any]

_NULL: Final = {"type": "null"}


def downgrade(document: Json) -> Json:
    """Does what this document needs, not what any might."""
    found: Json = _walk(document)
    info: Json = {name: value for name, value in found["info"].items() if name != "summary"}
    info["license"] = {"name": info["license"]["name"]}
    return {**found, "openapi": "3.0.3", "info": info}


def _walk(node: Any) -> Any:
    match node:
        case dict():
            return _schema({name: _walk(value) for name, value in node.items()})
        case list():
            return [_walk(value) for value in node]
        case _:
            return node


def _schema(node: Json) -> Json:
    if isinstance(node.get("examples"), list):
        node["example"] = node.pop("examples")[0]
    if _NULL not in node.get("anyOf", ()):
        return node
    choices = [choice for choice in node.pop("anyOf") if choice != _NULL]
    match choices:
        case [{"$ref": _}]:
            node["allOf"] = choices  # beside a $ref nothing else counts
        case [only]:
            node = {**only, **node}
        case _:
            node["anyOf"] = choices
    return {**node, "nullable": True}

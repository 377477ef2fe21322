"""JSON Schemas of the Structs that travel, with the words of the glossary."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from app.api.openapi import glossary

Json = dict[str, Any]

TEMPLATE: Final = "#/components/schemas/{name}"


def components(shapes: Iterable[Any]) -> dict[str, Json]:
    """The schemas of these Structs and of all that they hold, by name."""
    _, found = msgspec.json.schema_components(tuple(shapes), ref_template=TEMPLATE)
    return {name: _explained(name, schema) for name, schema in sorted(found.items())}


def reference(shape: Any) -> Json:
    """A schema that refers to a component."""
    (schema,), _ = msgspec.json.schema_components((shape,), ref_template=TEMPLATE)
    return schema


def _explained(name: str, schema: Json) -> Json:
    properties = {
        field: glossary.explain(name, field, of_field) for field, of_field in schema["properties"].items()
    }
    for of_field in properties.values():
        if of_field.get("default", ...) is None:
            del of_field["default"]  # null means absent: no reason to propose it
    return {**schema, "properties": properties}

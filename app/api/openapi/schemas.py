"""JSON Schemas of the Structs that travel, with the words of the glossary."""

import re
from collections.abc import Iterable
from typing import Any, Final, cast

import msgspec

from app.api.openapi import glossary

Json = dict[str, Any]

TEMPLATE: Final = "#/components/schemas/{name}"
_GENERIC: Final = re.compile(rb"\bListing_(\w+?)_(?=\")")


def components(shapes: Iterable[Any]) -> dict[str, Json]:
    """The schemas of these Structs and of all that they hold, by name."""
    _, found = msgspec.json.schema_components(tuple(shapes), ref_template=TEMPLATE)
    return {name: _explained(name, schema) for name, schema in sorted(_well_named(found).items())}


def reference(shape: Any) -> Json:
    """A schema that refers to a component. shape: a type, or several of which it is one."""
    if isinstance(shape, tuple):
        return {"anyOf": [reference(one) for one in cast("tuple[Any, ...]", shape)]}
    (schema,), _ = msgspec.json.schema_components((shape,), ref_template=TEMPLATE)
    return _well_named(schema)


def _well_named(schemas: Json) -> Json:
    """What msgspec calls `Listing_Item_` is an `ItemListing`."""
    return msgspec.json.decode(_GENERIC.sub(rb"\1Listing", msgspec.json.encode(schemas)))


def _explained(name: str, schema: Json) -> Json:
    properties = {
        field: glossary.explain(name, field, of_field) for field, of_field in schema["properties"].items()
    }
    for of_field in properties.values():
        if of_field.get("default", ...) is None:
            del of_field["default"]  # null means absent: no reason to propose it
    return {**schema, "properties": properties}

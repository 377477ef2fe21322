"""The OpenAPI document."""

import json


def document() -> str:
    return json.dumps({"openapi": "3.1.0"})

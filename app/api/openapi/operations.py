"""One operation of the document, from what its handler says of itself."""

import inspect
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from litestar.handlers import HTTPRouteHandler

from app.api.admin.guard import SAFE, capability_of, require_session
from app.api.auth import require_api_key, require_subscriber
from app.api.describe import NDJSON, Answer, Operation, Parameter
from app.api.errors import STATUS, Envelope
from app.api.openapi import prose, schemas

Json = dict[str, Any]

_PROVEN_ERRORS: Final = ("invalid_request", "unauthorized", "internal", "unavailable")


class Proof(msgspec.Struct, frozen=True):
    """What one plane asks for, and the errors that each of its operations can answer."""

    security: list[dict[str, list[str]]]
    errors: Sequence[str]


_PROOFS: Final[dict[Any, Proof]] = {
    require_api_key: Proof(prose.MANAGEMENT_SECURITY, (*_PROVEN_ERRORS, "rate_limited")),
    require_subscriber: Proof(prose.SUBSCRIBER_SECURITY, (*_PROVEN_ERRORS, "rate_limited")),
    require_session: Proof(prose.ADMIN_SECURITY, _PROVEN_ERRORS),
}
_NO_PROOF: Final = Proof([], ())
_LINES: Final = {"type": "string", "description": "One `ImportLine` a line."}
_PATH_PARAMETER: Final = re.compile(r"\{(\w+):str\}")


def path_of(handler: HTTPRouteHandler) -> str:
    """The path as OpenAPI writes it."""
    (path,) = handler.paths
    return _PATH_PARAMETER.sub(r"{\1}", path)


def build(handler: HTTPRouteHandler, operation: Operation) -> Json:
    proof = _PROOFS.get(handler.before_request, _NO_PROOF)
    capability = capability_of(handler.opt)
    description = [inspect.getdoc(handler.fn) or ""]
    errors = {*operation.errors, *proof.errors}
    parameters = [*_path_parameters(handler), *map(_parameter, operation.parameters)]
    if capability is not None:
        description.append(f"Takes the capability `{capability}`.")
        errors.add("forbidden")
    if operation.tag == "Admin" and not handler.http_methods <= SAFE:
        parameters.append(prose.FORGERY_HEADER)
        errors.add("forbidden")
    described: Json = {
        "operationId": handler.operation_id or handler.fn.__name__,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": "\n\n".join(description),
        "security": proof.security,
        "parameters": parameters,
        "responses": {
            **{str(status): _answer(answer) for status, answer in operation.answers.items()},
            **_error_responses({*errors, *(["payload_too_large"] if operation.body else [])}),
        },
    }
    if operation.body is not None:
        described["requestBody"] = _request_body(operation)
    return described


def error(code: str) -> Json:
    """The reusable response for a code."""
    return _error_response([code])


def _error_response(codes: Sequence[str]) -> Json:
    """codes: of one status."""
    words = {code: prose.ERRORS[code] for code in codes}
    content: Json = {"schema": schemas.reference(Envelope)}
    examples = {
        code: {"value": {"error": {"code": code, "message": message}}} for code, (_, message) in words.items()
    }
    if len(codes) == 1:
        content["example"] = examples[codes[0]]["value"]
    else:
        content["examples"] = examples
    response: Json = {
        "description": " ".join(description for description, _ in words.values()),
        "content": {"application/json": content},
    }
    if STATUS[codes[0]] in (429, 503):
        response["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return response


def _error_responses(codes: set[str]) -> Json:
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes, key=lambda code: (STATUS[code], code)):
        by_status.setdefault(STATUS[code], []).append(code)
    return {
        str(status): {"$ref": f"#/components/responses/{of_status[0]}"}
        if len(of_status) == 1
        else _error_response(of_status)
        for status, of_status in by_status.items()
    }


def _answer(answer: Answer) -> Json:
    described: Json = {"description": answer.description}
    if answer.headers:
        described["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in answer.headers.items()
        }
    if answer.shape is not None:
        described["content"] = {answer.media_type: {"schema": schemas.reference(answer.shape)}}
    return described


def _request_body(operation: Operation) -> Json:
    content: Json = {
        "schema": _LINES if operation.media_type == NDJSON else schemas.reference(operation.body)
    }
    if operation.examples:
        today = datetime.now(UTC).date()
        content["examples"] = {
            name: {"summary": name, "value": value(today) if callable(value) else value}
            for name, value in operation.examples.items()
        }
    return {"required": operation.body_required, "content": {operation.media_type: content}}


def _parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }


def _path_parameters(handler: HTTPRouteHandler) -> list[Json]:
    (path,) = handler.paths
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": prose.PATH_PARAMETERS[name],
            "schema": {"type": "string"},
        }
        for name in _PATH_PARAMETER.findall(path)
    ]

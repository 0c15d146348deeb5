"""The description of the API, OpenAPI 3.1, made of what its endpoints declare."""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from replay.server.endpoints import Endpoint, Nothing
from replay.server.problems import MEDIA_TYPE, Problem

VERSION: Final = "1.0.0"
"""Of the API: the first number changes when clients have to."""

_REF: Final = "#/components/schemas/{name}"
_ID: Final = {"type": "string", "minLength": 1, "maxLength": 1_024}

_ABOUT: Final = """Sessions, their signals and bundles, as Wince stored them: masked, and nothing else.

Times are epoch milliseconds. Errors are `application/problem+json`. Ids in paths are percent-encoded."""

_BY_METHOD: Final[Mapping[str, tuple[int, ...]]] = {"GET": (400,), "DELETE": (400,), "POST": (400, 413)}

_PROBLEMS: Final[Mapping[int, str]] = {
    400: "The parameters make no sense.",
    401: "No token, or one that is not valid.",
    403: "The token lacks the scope, or is for another project.",
    404: "There is no such thing, or it is out of reach of this token.",
    406: "It is not there in any form the client takes.",
    409: "What is asked for is well-formed, and does not fit together or to what is there.",
    413: "The body is too large.",
    416: "The range lies outside of what there is.",
    422: "This cannot be made of this session.",
    429: "Too many requests; `Retry-After` says when to try again.",
    501: "This server lacks what is needed for it.",
    503: "Redis or Kafka is full or away; try again later.",
}

Json = dict[str, Any]


def describe(endpoints: Sequence[Endpoint[Any]]) -> Json:
    """Describe endpoints as an OpenAPI document."""
    kinds = [Problem, *(kind for each in endpoints for kind in _kinds_given(each))]
    kinds += [each.takes for each in endpoints if each.takes is not Nothing]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    by_type = {repr(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    writer = _Writer(by_type, components)
    paths: dict[str, Json] = {}
    for each in endpoints:
        for path in each.paths():
            paths.setdefault(path, {})[each.method.lower()] = writer.operation(each, path)
    queries = {each.takes.__name__ for each in endpoints if each.method != "POST"}
    shown = {name: _simple(schema) for name, schema in sorted(components.items()) if name not in queries}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Wince", "version": VERSION, "description": _ABOUT, "license": {"name": "MIT"}},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": shown,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "Made by `wince token create`."}
            },
        },
    }


class _Writer:
    """Writes operations; holds the schemas of all types that endpoints take or give."""

    def __init__(self, by_type: Mapping[str, Json], components: Mapping[str, Json]) -> None:
        self._by_type = by_type
        self._components = components

    def operation(self, endpoint: Endpoint[Any], path: str) -> Json:
        is_shared = path != endpoint.path
        written: Json = {
            "operationId": _operation_id(endpoint.method, path),
            "summary": endpoint.summary + (", with a share link" if is_shared else ""),
            "tags": [_tag(path)],
            "parameters": [*_path_parameters(path), *self._query_parameters(endpoint)],
            "responses": self._answers(endpoint, path),
        }
        if endpoint.method == "POST":
            schema = self._by_type.get(repr(endpoint.takes), {"type": "object", "maxProperties": 0})
            choice = [{"required": [name]} for name in endpoint.needs_one_of]
            shown = {"allOf": [schema, {"anyOf": choice}]} if choice else schema
            written["requestBody"] = {"content": {"application/json": {"schema": shown}}}
            written["requestBody"]["required"] = bool(choice or self._resolved(schema).get("required"))
        needs_token = endpoint.scope is not None and not is_shared
        written["security"] = [{"token": []}] if needs_token else []
        if needs_token and endpoint.scope is not None:
            written["x-scope"] = endpoint.scope.value
        return written

    def _query_parameters(self, endpoint: Endpoint[Any]) -> Iterator[Json]:
        if endpoint.method == "POST" or endpoint.takes is Nothing:
            return
        schema = self._resolved(self._by_type[repr(endpoint.takes)])
        for name, of_parameter in schema.get("properties", {}).items():
            told = {key: value for key, value in of_parameter.items() if key != "description"}
            parameter = {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": told}
            if "description" in of_parameter:
                parameter["description"] = of_parameter["description"]
            yield parameter

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._components[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def _answers(self, endpoint: Endpoint[Any], path: str) -> Json:
        good: Json = {"description": HTTPStatus(endpoint.status).phrase}
        if endpoint.gives is not None:
            schemas = [self._by_type[repr(kind)] for kind in _kinds_given(endpoint)]
            schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
            good["content"] = {endpoint.media_type: {"schema": schema}}
        elif endpoint.status != HTTPStatus.NO_CONTENT:
            kinds = (endpoint.media_type, *endpoint.other_media_types)
            good["content"] = {kind: {"schema": _schema_of(kind)} for kind in kinds}
        answers = {str(endpoint.status): good}
        answers |= {str(status): {"description": HTTPStatus(status).phrase} for status in endpoint.other_statuses}
        return answers | {str(status): _problem(status) for status in _refusals(endpoint, path)}


def _simple(part: Any) -> Any:  # noqa: ANN401 - any part of a schema
    """Write tuples of one type as arrays of a length: generators of clients and tests know those."""
    if isinstance(part, list):
        return [_simple(each) for each in part]
    if not isinstance(part, dict):
        return part
    written = {name: _simple(each) for name, each in part.items()}
    first, *others = written.get("prefixItems", [None])
    if first is not None and all(each == first for each in others):
        del written["prefixItems"]
        written["items"] = first
    return written


def _kinds_given(endpoint: Endpoint[Any]) -> Sequence[object]:
    if endpoint.gives is None:
        return ()
    return endpoint.gives if isinstance(endpoint.gives, tuple) else (endpoint.gives,)


def _refusals(endpoint: Endpoint[Any], path: str) -> list[int]:
    always = [*_BY_METHOD[endpoint.method], 429, 503]
    if endpoint.scope is not None:
        always += [401, 403]
    if endpoint.takes is not Nothing:
        always.append(409)
    if "{" in path:
        always.append(404)
    return sorted({*always, *endpoint.refusals})


def _problem(status: int) -> Json:
    problem = {"$ref": _REF.format(name=Problem.__name__)}
    return {"description": _PROBLEMS[status], "content": {MEDIA_TYPE: {"schema": problem}}}


def _schema_of(media_type: str) -> Json:
    is_text = media_type.startswith("text/") or media_type.endswith(("json", "jsonl"))
    return {"type": "string"} if is_text else {"type": "string", "format": "binary"}


def _path_parameters(path: str) -> list[Json]:
    return [{"name": name, "in": "path", "required": True, "schema": _ID} for name in re.findall(r"{(\w+)}", path)]


def _operation_id(method: str, path: str) -> str:
    words = re.findall(r"\w+", path.removeprefix("/api/v1"))
    return "_".join([method.lower(), *words])


def _tag(path: str) -> str:
    words = [word for word in path.removeprefix("/api/v1").split("/") if word]
    return words[0] if words else "server"

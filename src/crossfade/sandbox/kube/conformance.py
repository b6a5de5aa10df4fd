"""
Does an object fit its kind: unknown fields, types, defaults, validity.

One door over the tables of the built-in kinds (`schema`) and the schemas of CRDs (`custom`).
"""

from crossfade.sandbox.kube import custom, schema
from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.registry import Served
from crossfade.sandbox.kube.status import bad_request, invalid
from crossfade.sandbox.kube.values import clone


def admit(served: Served, obj: Object, validation: str) -> tuple[Object, list[str]]:
    """
    Return an object from outside as the server reads it, and warnings.

    `validation` says what unknown fields are: `Strict`: an error; `Warn`: a warning; `Ignore`.
    Raises ApiError 400.
    """
    found = custom.unknown(served.schema, obj) if served.schema is not None else None
    if found is None:
        if problem := schema.type_error(served.kind, obj):
            raise bad_request(problem)
        found = schema.unknown_fields(served.kind, obj)
    texts = [f'unknown field "{path}"' for path in found]
    if texts and validation == "Strict":
        raise bad_request(f"strict decoding error: {', '.join(texts)}")
    if served.schema is not None:
        obj = custom.prune(served.schema, obj)
    else:
        obj = schema.tidy(served.kind, obj)
    return obj, texts if validation == "Warn" else []


def complete(served: Served, obj: Object) -> Object:
    """Return the object with the defaults of its kind."""
    if served.schema is None:
        return schema.apply_defaults(served.kind, obj)
    filled = clone(obj)
    custom.fill(served.schema, filled)
    return filled


def check(served: Served, old: Object | None, obj: Object) -> None:
    """Raise ApiError 422 when the object, or its change from `old`, is not valid."""
    problems = schema.validate(served.kind, obj)
    if served.schema is not None:
        problems += custom.problems(served.schema, obj)
    elif old is not None and not problems:
        problems = list(schema.validate_change(served.kind, old, obj))
    if problems:
        raise invalid(served.kind, obj["metadata"].get("name", ""), problems)

"""Rules for CustomResourceDefinitions."""

from crossfade.sandbox.kube.validation import texts
from crossfade.sandbox.kube.validation.texts import (
    Problems,
    Values,
    invalid,
    mapping,
    objects,
    one_of,
    required,
)


def custom_resource_definition(spec: Values) -> Problems:
    """Yield the problems of a CustomResourceDefinition's spec."""
    if not spec.get("group"):
        yield required("spec.group")
    else:
        yield from texts.subdomain("spec.group", spec["group"])
    yield from one_of("spec.scope", spec.get("scope"), ("Cluster", "Namespaced"))
    names = mapping(spec.get("names"))
    for field in ("plural", "kind"):
        if not names.get(field):
            yield required(f"spec.names.{field}")
    versions = objects(spec.get("versions"))
    stored = [version for version in versions if version.get("storage")]
    if len(stored) != 1:
        why = "must have exactly one version marked as storage version"
        yield invalid("spec.versions", [str(one.get("name")) for one in versions], why)
    for index, version in enumerate(versions):
        where = f"spec.versions[{index}]"
        if not version.get("name"):
            yield required(f"{where}.name")
        schema = mapping(version.get("schema")).get("openAPIV3Schema")
        if schema is None:
            yield required(f"{where}.schema.openAPIV3Schema", "schemas are required")
        elif mapping(schema).get("type") != "object":
            field = f"{where}.schema.openAPIV3Schema.type"
            yield field, 'Unsupported value: "": supported values: "object"'


def name(given: str, spec: Values) -> Problems:
    """Yield a problem unless the definition is named `<plural>.<group>`."""
    names = mapping(spec.get("names"))
    wanted = f"{names.get('plural')}.{spec.get('group')}"
    if given != wanted:
        yield invalid("metadata.name", given, 'must be spec.names.plural+"."+spec.group')

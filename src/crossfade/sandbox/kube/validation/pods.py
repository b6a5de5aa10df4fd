"""Rules for pods and the templates of pods."""

from crossfade.sandbox.kube.quantity import amount
from crossfade.sandbox.kube.validation import texts
from crossfade.sandbox.kube.validation.texts import (
    Problems,
    Values,
    duplicate,
    forbidden,
    invalid,
    mapping,
    objects,
    one_of,
    required,
)
from crossfade.sandbox.kube.values import Json

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")


def template(path: str, value: Json) -> Problems:
    """Yield the problems of a PodTemplateSpec."""
    body = mapping(value)
    metadata = mapping(body.get("metadata"))
    yield from texts.labels(f"{path}.metadata.labels", metadata.get("labels"))
    yield from texts.annotations(f"{path}.metadata.annotations", metadata.get("annotations"))
    yield from spec(f"{path}.spec", mapping(body.get("spec")))


def spec(path: str, values: Values) -> Problems:
    """Yield the problems of a PodSpec."""
    containers = objects(values.get("containers"))
    starters = objects(values.get("initContainers"))
    volumes = objects(values.get("volumes"))
    if not containers:
        yield required(f"{path}.containers")
    yield from _volumes(f"{path}.volumes", volumes)
    names: set[str] = set()
    mounted = {str(volume.get("name")) for volume in volumes}
    for name, group in (("containers", containers), ("initContainers", starters)):
        for index, one in enumerate(group):
            where = f"{path}.{name}[{index}]"
            yield from _container(where, one, mounted)
            given = one.get("name")
            if given in names:
                yield duplicate(f"{where}.name", given)
            names.add(str(given))
    yield from one_of(
        f"{path}.restartPolicy", values.get("restartPolicy"), ("Always", "OnFailure", "Never")
    )
    policies = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
    yield from one_of(f"{path}.dnsPolicy", values.get("dnsPolicy"), policies)
    grace = values.get("terminationGracePeriodSeconds")
    yield from texts.at_least(f"{path}.terminationGracePeriodSeconds", grace, 0)


def _volumes(path: str, volumes: list[Values]) -> Problems:
    seen: set[str] = set()
    for index, volume in enumerate(volumes):
        name = volume.get("name")
        if not name:
            yield required(f"{path}[{index}].name")
            continue
        yield from texts.label(f"{path}[{index}].name", name)
        if name in seen:
            yield duplicate(f"{path}[{index}].name", name)
        seen.add(str(name))
        sources = [key for key in volume if key != "name"]
        if len(sources) > 1:
            yield forbidden(
                f"{path}[{index}].{sources[1]}", "may not specify more than 1 volume type"
            )


def _container(path: str, values: Values, volumes: set[str]) -> Problems:
    if not values.get("name"):
        yield required(f"{path}.name")
    else:
        yield from texts.label(f"{path}.name", values["name"])
    image = values.get("image")
    if not image:
        yield required(f"{path}.image")
    elif isinstance(image, str) and image != image.strip():
        yield invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    yield from _container_ports(f"{path}.ports", objects(values.get("ports")))
    yield from _environment(f"{path}.env", objects(values.get("env")))
    yield from _mounts(f"{path}.volumeMounts", objects(values.get("volumeMounts")), volumes)
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if values.get(probe) is not None:
            yield from _probe(f"{path}.{probe}", mapping(values[probe]), probe)
    yield from _resources(f"{path}.resources", mapping(values.get("resources")))
    if policy := values.get("imagePullPolicy"):
        allowed = ("Always", "IfNotPresent", "Never")
        yield from one_of(f"{path}.imagePullPolicy", policy, allowed)


def _container_ports(path: str, ports: list[Values]) -> Problems:
    names: set[str] = set()
    for index, port in enumerate(ports):
        where = f"{path}[{index}]"
        if name := port.get("name"):
            yield from texts.port_name(f"{where}.name", name)
            if name in names:
                yield duplicate(f"{where}.name", name)
            names.add(str(name))
        yield from texts.port(f"{where}.containerPort", port.get("containerPort"))
        yield from one_of(f"{where}.protocol", port.get("protocol"), ("TCP", "UDP", "SCTP"))


def _environment(path: str, variables: list[Values]) -> Problems:
    for index, variable in enumerate(variables):
        where = f"{path}[{index}]"
        name = variable.get("name")
        if not name:
            yield required(f"{where}.name")
        elif "=" in str(name):
            yield invalid(
                f"{where}.name",
                name,
                "a valid environment variable name must consist only of printable ASCII "
                "characters other than '='",
            )
        source = variable.get("valueFrom")
        if source is None:
            continue
        if variable.get("value"):
            why = "may not be specified when `value` is not empty"
            yield invalid(f"{where}.valueFrom", "", why)
        if len(mapping(source)) != 1:
            why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or "
            yield invalid(f"{where}.valueFrom", "", why + "`secretKeyRef`")


def _mounts(path: str, mounts: list[Values], volumes: set[str]) -> Problems:
    places: set[str] = set()
    for index, mount in enumerate(mounts):
        where = f"{path}[{index}]"
        name, place = mount.get("name"), mount.get("mountPath")
        if not name:
            yield required(f"{where}.name")
        elif name not in volumes:
            yield f"{where}.name", f"Not found: {texts.shown(name)}"
        if not place:
            yield required(f"{where}.mountPath")
        elif place in places:
            yield invalid(f"{where}.mountPath", place, "must be unique")
        places.add(str(place))


def _probe(path: str, values: Values, kind: str) -> Problems:
    handlers = [name for name in _HANDLERS if values.get(name) is not None]
    if not handlers:
        yield required(path, "must specify a handler type")
    for extra in handlers[1:]:
        yield forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    for name in ("httpGet", "tcpSocket", "grpc"):
        if name in handlers:
            yield from texts.port_or_name(f"{path}.{name}.port", mapping(values[name]).get("port"))
    for name, least in (
        ("initialDelaySeconds", 0),
        ("timeoutSeconds", 1),
        ("periodSeconds", 1),
        ("failureThreshold", 1),
        ("successThreshold", 1),
    ):
        yield from texts.at_least(f"{path}.{name}", values.get(name), least)
    if kind != "readinessProbe" and values.get("successThreshold", 1) != 1:
        yield invalid(f"{path}.successThreshold", values["successThreshold"], "must be 1")


def _resources(path: str, values: Values) -> Problems:
    limits, requests = mapping(values.get("limits")), mapping(values.get("requests"))
    for name, group in (("limits", limits), ("requests", requests)):
        for resource, text in group.items():
            size = amount(text)
            if size is not None and size < 0:
                where = f"{path}.{name}[{resource}]"
                yield invalid(where, text, "must be greater than or equal to 0")
    for resource, text in requests.items():
        asked, most = amount(text), amount(limits.get(resource))
        if asked is not None and most is not None and asked > most:
            why = f"must be less than or equal to {resource} limit of {limits[resource]}"
            yield invalid(f"{path}.requests", text, why)

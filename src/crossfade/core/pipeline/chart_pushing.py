"""How a chart gets into a repository: an OCI registry, ChartMuseum, or one that takes files."""

import shlex
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

_NO_WAY = {
    "s3": "a plugin of helm that is not there",
    "gs": "a plugin of helm that is not there",
    "az": "a token that only Codefresh gives",
    "azsp": "a token that only Codefresh gives",
}
_SCHEMES = ("oci", "cm", "https", "http")


def refusal(address: str) -> str:
    """Return why charts are not pushed to the address, "" when they are."""
    scheme = address.partition("://")[0] if "://" in address else ""
    if scheme in _NO_WAY:
        return f"charts are not pushed to {scheme}:// addresses: that takes {_NO_WAY[scheme]}"
    if scheme not in _SCHEMES or not _host(address):
        return f"charts are not pushed to {address!r}; allowed: oci://, cm://, https://"
    if urlsplit(address).username is not None:
        return "who one is at a repository is said by HELMREPO_USERNAME, and not in its address"
    return ""


def uploads(address: str) -> bool:
    """Return whether a chart is sent there by HTTP, and not by helm."""
    return address.startswith(("cm://", "https://", "http://"))


def registry_of(*addresses: str) -> str:
    """Return what the OCI registry is called that one of these is in, "" when none is."""
    found = (each.removeprefix("oci://").strip("/") for each in addresses if is_oci(each))
    return next(found, "")


def is_oci(address: str) -> bool:
    """Return whether it is in an OCI registry."""
    return address.startswith("oci://")


def plain_http(address: str) -> list[str]:
    """Return the option of helm for registries of this machine."""
    return ["--plain-http"] if is_oci(address) and _is_loopback(address) else []


def login(*addresses: str) -> list[str]:
    """Return the lines that tell helm who we are in a registry; with nobody to be, nothing."""
    registry = registry_of(*addresses)
    return [_LOGIN.format(host=shlex.quote(registry.partition("/")[0]))] if registry else []


def push(chart: str, address: str, versions: tuple[tuple[str, str], ...], more: str) -> list[str]:
    """Return the lines that pack a chart and send it; `versions` are options of `helm package`."""
    lines = [f"package={shlex.quote(chart)}"]
    if not chart.endswith(".tgz"):
        words = ["helm", "package", chart, *(w for pair in versions if pair[1] for w in pair)]
        lines = [
            "packed=$(mktemp -d)",
            f'{shlex.join(words)} --destination "$packed"',
            'package=$(echo "$packed"/*.tgz)',
        ]
    if is_oci(address):
        words = [address, *plain_http(address)]
        return [*lines, f'helm push "$package" {shlex.join(words)} {more}'.rstrip()]
    return [*lines, *_upload(address)]


def upload_address(address: str, subfolder: str) -> str:
    """Return the address that a repository which takes files has for a chart's folder."""
    if not subfolder or not address.startswith(("https://", "http://")):
        return address
    return f"{address.rstrip('/')}/{subfolder.strip('/')}"


def _upload(address: str) -> Iterator[str]:
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    if parts.scheme != "cm":
        url = f"{parts.scheme}://{parts.netloc}{path}"
        yield _UPLOAD.format(url=f'{shlex.quote(f"{url}/")}"$(basename "$package")"', method="PUT")
        return
    base = f"{'http' if _is_loopback(address) else 'https'}://{parts.netloc}"
    yield _UPLOAD.format(url=shlex.quote(f"{base}/api{path}/charts"), method="POST")
    there = f'{shlex.quote(f"{base}{path}/charts/")}"$(basename "$package")"'
    yield _COMPARE.format(url=there)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_loopback(address: str) -> bool:
    host = _host(address)
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


_LOGIN = """user=${{HELMREPO_USERNAME:-${{REGISTRY_USERNAME-}}}}
password=${{HELMREPO_PASSWORD:-${{REGISTRY_PASSWORD-}}}}
if [ -n "$user" ]; then
  HELM_REGISTRY_CONFIG=$(mktemp)
  export HELM_REGISTRY_CONFIG
  trap 'rm -f "$HELM_REGISTRY_CONFIG"' EXIT
  coded=$(printf '%s:%s' "$user" "$password" | base64 | tr -d '\\n')
  printf '{{"auths":{{"%s":{{"auth":"%s"}}}}}}' {host} "$coded" > "$HELM_REGISTRY_CONFIG"
fi"""
_UPLOAD = """url={url}
sending=$(mktemp -d)
trap 'rm -rf "$sending"' EXIT
quoted() {{ printf '%s' "$1" | sed 's/[\\\\"]/\\\\&/g'; }}
: > "$sending/config"
if [ -n "${{HELMREPO_USERNAME-}}" ]; then
  who=$(quoted "$HELMREPO_USERNAME:${{HELMREPO_PASSWORD-}}")
  printf 'user = "%s"\\n' "$who" > "$sending/config"
fi
ask() {{
  curl --config "$sending/config" --silent --show-error --connect-timeout 20 --retry 3 "$@"
}}
code=$(ask --request {method} --data-binary "@$package" --output "$sending/answer" \\
  --header 'Content-Type: application/gzip' --write-out '%{{http_code}}' "$url")
case $code in
  2??) echo "$(basename "$package") is in the repository" ;;
  409) echo "the repository has $(basename "$package") already" >&2 ;;
  *)
    echo "the repository refuses $(basename "$package"): $code" >&2
    head -c 2000 "$sending/answer" >&2
    exit 1 ;;
esac"""
_COMPARE = """if [ "$code" = 409 ]; then
  mkdir "$sending/here" "$sending/there"
  ask --fail --output "$sending/there.tgz" {url}
  tar -xzf "$package" -C "$sending/here"
  tar -xzf "$sending/there.tgz" -C "$sending/there"
  diff -rq "$sending/here" "$sending/there" >&2 || exit 1
  echo "with the same content: there is nothing to do"
fi"""
"""A version is never replaced; what a lost run has pushed is found again."""

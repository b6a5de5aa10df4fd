"""What helm prints when it fails, as errors that say what to do."""

import re
from dataclasses import dataclass

from crossfade.base.errors import Conflict, CrossfadeError, Denied, InputError, Unavailable

_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class _Meaning:
    pattern: str
    error: type[CrossfadeError]
    what: str
    hint: str


# The first that matches, in this order: what a cluster says comes before what a chart may quote.
_MEANINGS = (
    _Meaning(
        r"another operation \(install/upgrade/rollback\) is in progress",
        Conflict,
        "another Helm operation on this release is in progress",
        "wait for it, or see who runs it with `helm list --pending`",
    ),
    _Meaning(
        r"context .* does not exist|invalid configuration|error loading config file"
        r"|cluster unreachable: stat ",
        Unavailable,
        "the kubeconfig cannot be used",
        "check file and context with `kubectl config get-contexts`",
    ),
    _Meaning(
        r"failed to do request|not a valid chart repository|could not find protocol handler"
        r"|failed to fetch",
        Unavailable,
        "the chart registry does not answer",
        "check chart and repo in spec.source, and the network",
    ),
    _Meaning(
        r"failed to authorize|401 Unauthorized|403 Forbidden|denied: ",
        Denied,
        "the chart registry refuses the credentials",
        "log in with `helm registry login`",
    ),
    _Meaning(
        r"\bUnauthorized\b|must be logged in|getting credentials|x509: certificate has expired"
        r"|tls: expired certificate|token (has )?expired",
        Denied,
        "the cluster refuses the credentials",
        "log in to the cluster again; Crossfade reads the kubeconfig anew each time",
    ),
    _Meaning(
        r"exceeded quota|forbidden: .*quota",
        InputError,
        "the cluster has no room left in its quota",
        "raise the ResourceQuota, ask for less in the chart's values, or remove old revisions",
    ),
    _Meaning(
        r"\bis forbidden\b|\bForbidden\b|cannot (list|get|create|patch|delete|update) resource",
        Denied,
        "the cluster forbids it to these credentials",
        "give the account of the kubeconfig the rights that the message names",
    ),
    _Meaning(
        r"cluster unreachable|connection refused|connection reset|no such host|i/o timeout"
        r"|TLS handshake timeout|context deadline exceeded|Client\.Timeout|no route to host"
        r"|network is unreachable|server misbehaving|unexpected EOF|x509:|EOF$"
        r"|the server is currently unable|ServiceUnavailable|etcdserver|Too many requests"
        r"|http2: (client|server) ",
        Unavailable,
        "the cluster does not answer Helm",
        "Crossfade tries again by itself; check the network and the API server",
    ),
    _Meaning(
        r"timed out waiting for the condition",
        Unavailable,
        "a hook of the chart did not end in time",
        "look at the hook's Job and its pods",
    ),
    _Meaning(
        r"found in Chart\.yaml, but missing in charts/ directory|missing in charts",
        InputError,
        "the chart's dependencies are not in its folder",
        "run `helm dependency build` in the chart's folder",
    ),
    _Meaning(
        r"Chart\.ya?ml file is missing|path .* not found|no such file or directory"
        r"|not a valid chart|does not appear to be a gzipped archive",
        InputError,
        "there is no chart there",
        "check spec.source.chart: a folder with a Chart.yaml, or an oci:// reference",
    ),
    _Meaning(
        r"not found in .* repository|chart .* (version|not found)|manifest unknown|404 Not Found"
        r"|no chart (name|version) found|improper constraint",
        InputError,
        "the registry has no such chart or version",
        "check chart, repo and version in spec.source",
    ),
    _Meaning(
        r"don't meet the specifications of the schema",
        InputError,
        "the values do not fit the chart's schema",
        "mend the values that the message names",
    ),
    _Meaning(
        r"template: |YAML parse error|parse error at|error calling|execution error at",
        InputError,
        "the chart does not render",
        "mend the template or the values, and check with `helm template`",
    ),
    _Meaning(
        r"no matches for kind",
        InputError,
        "the cluster does not know a kind that the chart uses",
        "install what defines it (an operator, a CRD) in the cluster first",
    ),
    _Meaning(
        r"exists and cannot be imported into the current release",
        InputError,
        "an object of that name is there already, and is not Helm's",
        "delete it, or rename it in the chart",
    ),
    _Meaning(
        r"is invalid:|strict decoding error|admission webhook|Bad Request|unable to decode"
        r"|error validating|cannot be handled as|unable to build kubernetes objects",
        InputError,
        "the cluster refuses an object of the chart",
        "mend the object that the message names",
    ),
)


def translate(stderr: str, cluster: str | None) -> CrossfadeError:
    """Return the error that helm's standard error stands for, helm's own words included."""
    message = _message(stderr)
    facts: dict[str, object] = {"cluster": cluster} if cluster else {}
    ours = re.search(r"(?ms)^crossfade: (.+?)\ncrossfade-hint: ([^\n]+)", stderr)
    if ours:  # what our own post-renderer refused
        return InputError(ours[1].strip(), hint=ours[2].strip(), **facts)
    for meaning in _MEANINGS:
        if re.search(meaning.pattern, stderr, re.IGNORECASE | re.MULTILINE):
            return meaning.error(
                f"{meaning.what}: {message}", hint=meaning.hint, **facts, **_position(message)
            )
    return InputError(
        f"helm failed: {message}",
        hint="run the same with helm by hand to see more",
        **facts,
        **_position(message),
    )


def _message(stderr: str) -> str:
    """Return helm's last error without its warnings, prefixes and advice about flags."""
    lines = [
        line
        for line in stderr.splitlines()
        if line.strip()
        and not re.match(r"WARNING: |level=|[WI]\d{4} |walk\.go|coalesce\.go", line)
        and not line.startswith("Use --debug flag")
        and not re.match(r"\d{4}/\d\d/\d\d [\d:]+ (warning|found symbolic link)", line)
    ]
    text = "\n".join(lines)
    text = re.sub(r"^(?:Error: )?(?:[A-Z]+ FAILED: )?", "", text.strip())
    text = re.sub(r"^values don't meet the spec.*in the following chart\(s\):\s*", "", text)
    return text[:_LONGEST] or "it said nothing"


def _position(message: str) -> dict[str, object]:
    """Return template file and line where helm names them."""
    found = re.search(r"[\w.-]+/((?:[\w.-]+/)*[\w.-]+\.(?:ya?ml|tpl|txt))(?::(\d+))?", message)
    if not found:
        return {}
    line = found[2] or (re.search(r"\bline (\d+)", message) or [None, None])[1]
    return {"file": found[1], **({"line": int(line)} if line else {})}

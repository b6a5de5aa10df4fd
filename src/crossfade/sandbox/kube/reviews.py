"""Questions to the API (`kubectl auth can-i`, `whoami`): answered at once, never stored."""

from crossfade.sandbox.kube.client import Object
from crossfade.sandbox.kube.kinds import Kind

_GROUPS = frozenset({"authorization.k8s.io", "authentication.k8s.io"})
_USER = {"username": "sandbox-admin", "groups": ["system:masters", "system:authenticated"]}


def is_review(kind: Kind) -> bool:
    """Say whether objects of this kind are questions."""
    return kind.group in _GROUPS


def answer(kind: Kind, body: Object) -> Object:
    """Return the question with its answer: whoever has the token may do everything."""
    match kind.kind:
        case "SelfSubjectReview":
            status: Object = {"userInfo": _USER}
        case "TokenReview":
            status = {"authenticated": False}
        case "SelfSubjectRulesReview":
            everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
            status = {
                "resourceRules": [everything],
                "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
                "incomplete": False,
            }
        case _:
            status = {"allowed": True}
    return {**body, "metadata": {**body["metadata"], "creationTimestamp": None}, "status": status}

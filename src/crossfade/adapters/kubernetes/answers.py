"""What the API server of a cluster answers when it refuses, as errors that say what to do."""

import json
from typing import Any

from crossfade.base.errors import (
    Conflict,
    CrossfadeError,
    Denied,
    InputError,
    NotFound,
    Unavailable,
)


def refusal(code: int, body: str, cluster: str) -> CrossfadeError:
    """Return the error for an answer with a status of 400 or more."""
    status = _status(body)
    message = str(status.get("message") or body[:300] or f"HTTP status {code}").strip()
    match code:
        case 401:
            return Denied(
                "the cluster refuses the credentials",
                hint="log in to the cluster again; the kubeconfig is read anew when it changes",
                cluster=cluster,
            )
        case 403 if "exceeded quota" not in message:
            return Denied(
                f"the cluster forbids it: {message}",
                hint="give the account of the kubeconfig the rights that the message names",
                cluster=cluster,
            )
        case 404:
            return NotFound(message, hint="check name and namespace", cluster=cluster)
        case 409:
            return Conflict(message, hint="look again, then retry", cluster=cluster)
        case 410:
            return Conflict(message, hint="list again: the place is too old", cluster=cluster)
        case 400 | 403 | 405 | 406 | 413 | 415 | 422:
            return InputError(
                f"the cluster refuses it: {message}",
                hint="mend what the message names",
                cluster=cluster,
            )
        case _:
            return Unavailable(
                f"the API server answers {code}: {message}",
                hint="Crossfade tries again by itself; look at the API server if it goes on",
                cluster=cluster,
            )


def silence(error: Exception, cluster: str, seconds: float) -> Unavailable:
    """Return the error for a request that got no answer."""
    words = str(error) or type(error).__name__
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        words = f"no answer in {seconds:g} s"
    hint = "check the network and the API server; Crossfade tries again by itself"
    if "certificate" in words.lower():
        hint = "check certificate-authority in the kubeconfig, and that certificates are in date"
    return Unavailable(f"the API server cannot be reached: {words}", hint=hint, cluster=cluster)


def no_plugin(error: Exception, cluster: str) -> Denied:
    """Return the error for a credential plugin of the kubeconfig that fails."""
    return Denied(
        f"the credential plugin of the kubeconfig failed: {error}",
        hint="run it by hand (users[].user.exec in the kubeconfig), and log in again",
        cluster=cluster,
    )


def _status(body: str) -> dict[str, Any]:
    try:
        status = json.loads(body)
    except ValueError:
        return {}
    return status if isinstance(status, dict) else {}

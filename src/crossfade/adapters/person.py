"""The person of this machine."""

import getpass
import os


def who_runs_this() -> str:
    """Return their name, for the audit log."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in many containers
        return f"uid {os.getuid()}"

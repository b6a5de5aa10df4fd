"""What a git server says has happened, and the variables that a build learns of it."""

from dataclasses import dataclass

from crossfade.core.pipeline.variables import escaped, tag_form

_SHORT = 7


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request or merge request."""

    number: int
    title: str = ""
    action: str = ""
    source: str = ""
    """The branch that it wants to bring in."""
    target: str = ""
    fork: bool = False
    """Whether it comes from another repository: anybody may have written it."""
    labels: tuple[str, ...] = ()
    comment: str = ""
    comment_author: str = ""
    trusted: bool = False
    """Whether who comments may write to the repository."""
    merged: bool = False


@dataclass(frozen=True, slots=True)
class GitEvent:
    """One event of a repository."""

    name: str
    """`push.heads`, `push.tags`, `pullrequest.opened`, `release.created`, ..."""
    provider: str
    repository: str
    """owner/name."""
    clone_url: str = ""
    branch: str = ""
    """The branch, or the tag."""
    revision: str = ""
    message: str = ""
    author: str = ""
    url: str = ""
    """Of the commit."""
    files: tuple[str, ...] | None = None
    """Files that were changed; None: nobody says."""
    pull: PullRequest | None = None
    release: str = ""


def variables_of_event(event: GitEvent) -> dict[str, str]:
    """Return the variables of the event; those that it says nothing of are not there."""
    owner, _, name = event.repository.rpartition("/")
    tag = tag_form(event.branch)
    found = {
        "CF_REPO_OWNER": owner,
        "CF_REPO_NAME": name,
        "CF_REPO_CLONE_URL": event.clone_url,
        "CF_BRANCH": event.branch,
        "CF_BASE_BRANCH": event.pull.target if event.pull else event.branch,
        "CF_BRANCH_TAG_NORMALIZED": tag,
        "CF_BRANCH_TAG_NORMALIZED_LOWER_CASE": tag.lower(),
        "CF_REVISION": event.revision,
        "CF_SHORT_REVISION": event.revision[:_SHORT],
        "CF_COMMIT_AUTHOR": event.author,
        "CF_COMMIT_URL": event.url,
        "CF_COMMIT_MESSAGE": event.message,
        "CF_COMMIT_MESSAGE_ESCAPED": escaped(event.message),
        "CF_RELEASE_NAME": event.release,
        "CF_RELEASE_TAG": event.branch if event.release else "",
        **(_of_pull(event.pull, event.revision) if event.pull else {}),
    }
    return {key: value for key, value in found.items() if value}


def _of_pull(pull: PullRequest, revision: str) -> dict[str, str]:
    prefix = "CF_PULL_REQUEST_"
    return {
        f"{prefix}ACTION": pull.action,
        f"{prefix}NUMBER": str(pull.number),
        f"{prefix}ID": str(pull.number),
        f"{prefix}TITLE": pull.title,
        f"{prefix}TITLE_ESCAPED": escaped(pull.title),
        f"{prefix}TARGET": pull.target,
        f"{prefix}HEAD_BRANCH": pull.source,
        f"{prefix}HEAD_COMMIT_SHA": revision,
        f"{prefix}LABELS": ",".join(pull.labels),
        f"{prefix}COMMENT": pull.comment,
        f"{prefix}COMMENT_AUTHOR": pull.comment_author,
        f"{prefix}MERGED": str(pull.merged).lower(),
    }

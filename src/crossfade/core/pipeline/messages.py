"""What the public steps do that tell people something: in a channel of Slack, or a pull request."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

from crossfade.base.json_value import Json
from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.work import VOLUME, CannotRun, Work, text

CURL_IMAGE = "curlimages/curl"
_MODES = ("simple", "template", "default-template")
_BUILD = (
    ("Pipeline", "CF_PIPELINE_NAME"),
    ("Build", "CF_BUILD_ID"),
    ("Branch", "CF_BRANCH"),
    ("Commit", "CF_SHORT_REVISION"),
    ("Author", "CF_COMMIT_AUTHOR"),
)
"""What a message of the default template says of the build, where it is known."""


def against_slack(settings: Settings) -> Iterator[str]:
    """Yield what stands against such a step, as far as its arguments are known."""
    if not settings.get("SLACK_HOOK_URL"):
        yield "the argument `SLACK_HOOK_URL` is missing"
    mode = _mode(settings)
    if mode not in _MODES and "${{" not in mode:
        yield f"MODE is {mode!r}; allowed: {', '.join(_MODES)}"
    names = ("SLACK_ATTACHMENTS", "SLACK_TEMPLATE_BODY", "SLACK_TEMPLATE_FIELDS")
    for name in (*names, "SLACK_TEMPLATE_ACTIONS"):
        if "${{" not in text(settings.get(name)):
            try:
                _document(settings, name, None)
            except CannotRun as error:
                yield str(error)


def slack(settings: Settings, context: Context) -> Work:
    """Return the work that posts a message.  Raises CannotRun."""
    url = _address(settings, "SLACK_HOOK_URL")
    work = _posting(_HOOK, _message(settings, context), url)
    return replace(work, secrets=(url,))


def _message(settings: Settings, context: Context) -> dict[str, Json]:
    words = text(settings.get("SLACK_TEXT"))
    match _mode(settings):
        case "simple":
            attachments = _document(settings, "SLACK_ATTACHMENTS", [])
            listed: list[Json] = attachments if isinstance(attachments, list) else [attachments]
            return {"text": words, "attachments": listed} if listed else {"text": words}
        case "template":
            body = _document(settings, "SLACK_TEMPLATE_BODY", {})
            attachment = dict(body) if isinstance(body, dict) else {}
            for key in ("actions", "fields"):
                given = _document(settings, f"SLACK_TEMPLATE_{key.upper()}", None)
                if given is not None:
                    attachment[key] = given
            return {"text": words, "attachments": [attachment]}
        case "default-template":
            known = ((name, context.scope.texts.get(key, "")) for name, key in _BUILD)
            fields: list[Json] = [
                {"title": name, "value": value, "short": True} for name, value in known if value
            ]
            return {"text": words, "attachments": [{"fields": fields}]}
        case other:
            raise CannotRun(f"MODE is {other!r}; allowed: {', '.join(_MODES)}")


def _mode(settings: Settings) -> str:
    return text(settings.get("MODE")).strip() or _MODES[0]


def _document(settings: Settings, name: str, default: Json) -> Json:
    given = settings.get(name)
    if not isinstance(given, str):
        return default if given is None else given
    if not given.strip():
        return default
    try:
        found: Json = json.loads(given)
    except (ValueError, RecursionError) as error:
        raise CannotRun(f"{name} is no JSON: {error}") from None
    return found


def against_comment(settings: Settings) -> Iterator[str]:
    """Yield what stands against such a step, as far as its arguments are known."""
    if not settings.get("PR_COMMENT_TEXT"):
        yield "the argument `PR_COMMENT_TEXT` is missing"


def comment(settings: Settings, context: Context) -> Work:
    """Return the work that comments on the build's pull request at GitHub.  Raises CannotRun."""
    given = context.scope.texts
    names = ("CF_REPO_OWNER", "CF_REPO_NAME", "CF_PULL_REQUEST_NUMBER")
    missing = [name for name in names if not given.get(name)]
    if missing:
        raise CannotRun(f"this build is of no pull request: it has no {', '.join(missing)}")
    owner, name, number = (quote(given[each], safe="") for each in names)
    asked = text(settings.get("GIT_PROVIDER_NAME")).strip()
    known = asked if asked and "${{" not in asked else given.get("CF_GIT_INTEGRATION", "")
    path = f"/repos/{owner}/{name}/issues/{number}/comments"
    work = _posting(_COMMENT, {"body": text(settings.get("PR_COMMENT_TEXT"))}, path)
    return replace(work, integration=known or "github")


def _address(settings: Settings, name: str) -> str:
    url = text(settings.get(name)).strip()
    if "${{" in url:
        raise CannotRun(f"{name} has no value")
    if not url.startswith(("https://", "http://")) or any(each.isspace() for each in url):
        raise CannotRun(f"{name} is no address; allowed: https://...")
    return url


def _posting(address: str, body: Json, value: str) -> Work:
    """Return the work that posts JSON; neither it nor the address is on a command line."""
    script = _POST.format(body=json.dumps(body), address=address.format(value=shlex.quote(value)))
    members = {"self": VOLUME, "workingDirectory": VOLUME}
    return Work(script, "sh", VOLUME, CURL_IMAGE, members)


_HOOK = "url={value}"
_COMMENT = """path={value}
[ -n "$GIT_TOKEN" ] || {{
  echo "the integration has no token: keep it as the secret git-NAME of the integration" >&2
  exit 1
}}
case $GIT_SERVER in
  https://github.com) url=https://api.github.com$path ;;
  *) url=$GIT_SERVER/api/v3$path ;;
esac
header='Authorization: Bearer '$GIT_TOKEN
"""
_POST = """set -e
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat > "$work/body" <<'END'
{body}
END
header=
{address}
quoted() {{ printf '%s' "$1" | sed 's/[\\\\"]/\\\\&/g'; }}
{{
  printf 'url = "%s"\\n' "$(quoted "$url")"
  [ -z "$header" ] || printf 'header = "%s"\\n' "$(quoted "$header")"
}} > "$work/config"
if ! curl --disable --config "$work/config" --header 'Content-Type: application/json' \\
  --data-binary "@$work/body" --output "$work/answer" --silent --show-error --fail-with-body \\
  --retry 3 --retry-connrefused --connect-timeout 20 --max-time 60
then
  [ ! -s "$work/answer" ] || head -c 2000 "$work/answer" >&2
  exit 1
fi
echo "it was told"
"""

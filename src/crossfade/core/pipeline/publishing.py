"""What public steps do that hand over what a build has made: packages of npm, reports of tests."""

import posixpath
import shlex
from collections.abc import Iterator

from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.keeping import ARTIFACTS, TESTS
from crossfade.core.pipeline.work import VOLUME, CannotRun, Work, base_directory, text

NPM_IMAGE, REPORT_IMAGE = "node", "alpine"


def against_npm(settings: Settings) -> Iterator[str]:
    """Yield what stands against such a step, as far as its arguments are known."""
    if not settings.get("NPM_TOKEN"):
        yield "the argument `NPM_TOKEN` is missing"


def npm(settings: Settings, context: Context) -> Work:
    """Return the work that publishes a package, once for each version.  Raises CannotRun."""
    token = text(settings.get("NPM_TOKEN")).strip()
    if not token or "${{" in token:
        raise CannotRun("NPM_TOKEN has no value")
    directory = _below(context, text(settings.get("DIR")))
    members = {"self": directory, "workingDirectory": directory}
    environment = {"NPM_TOKEN": token}
    return Work(_NPM, "sh", directory, NPM_IMAGE, members, environment, (token,))


def against_report(settings: Settings) -> Iterator[str]:
    """Yield what stands against such a step, as far as its arguments are known."""
    if not _reports(settings):
        yield "neither `report_dir` nor `allure_dir` says where the report is"


def report(settings: Settings, context: Context) -> Work:
    """Return the work that keeps a report of tests with the build.  Raises CannotRun."""
    places = [_below(context, each) for each in _reports(settings)]
    for place in places:
        if "${{" in place or any(each.isspace() or each in "*?[" for each in place):
            raise CannotRun(f"a report cannot be in {place!r}; allowed: a folder, without spaces")
    quoted = shlex.join(places)
    script = f"""set -e
for each in {quoted}; do
  [ -d "$each" ] || {{ echo "there is no report in $each" >&2; exit 1; }}
done
echo "the report stays with this build: crossfade pipeline artifacts ${{CF_BUILD_ID-}} --to FOLDER"
"""
    kept = {
        ARTIFACTS: " ".join(places),
        TESTS: " ".join(f"{each}/**/*.xml" for each in places),
    }
    members = {"self": VOLUME, "workingDirectory": VOLUME}
    return Work(script, "sh", VOLUME, REPORT_IMAGE, members, kept)


def _reports(settings: Settings) -> list[str]:
    given = {key.lower(): text(value).strip() for key, value in settings.items()}
    return [given[key] for key in ("report_dir", "allure_dir") if given.get(key)]


def _below(context: Context, path: str) -> str:
    return posixpath.normpath(posixpath.join(base_directory(context), path.strip()))


_NPM = r"""set -e
registry=$(npm pkg get publishConfig.registry | tr -d '"{}')
[ -n "$registry" ] || registry=$(npm config get registry)
case $registry in */) ;; *) registry=$registry/ ;; esac
config=$(mktemp)
trap 'rm -f "$config"' EXIT
printf '%s:_authToken=${NPM_TOKEN}\n' "${registry#*:}" > "$config"  # npm itself puts it in
export NPM_CONFIG_USERCONFIG="$config"
name=$(npm pkg get name | tr -d '"') version=$(npm pkg get version | tr -d '"')
here=$(npm pack --dry-run --json 2>/dev/null | sed -n 's/.*"integrity": "\([^"]*\)".*/\1/p')
there=$(npm view --registry "$registry" "$name@$version" dist.integrity 2>/dev/null || :)
if [ -n "$there" ] && [ "$there" = "$here" ]; then
  echo "$name@$version is there already, with the same content"
  exit 0
fi
npm publish --registry "$registry"
"""

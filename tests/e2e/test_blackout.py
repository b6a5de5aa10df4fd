"""All machines of the only cloud with the new version die; its API server calls them ready."""

import pytest

APPLICATION = """
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {{name: colors}}
spec:
  source: {{chart: {chart}, values: {{replicaCount: 1, colour: blue}}}}
  route: {{host: colors.localhost, service: colors, probe: {{path: /healthz}}}}
  failover: {{recover: 2s, step: 2s}}
  rollout:
    drain: 1s
    waves: [{{clusters: [gcp]}}, {{clusters: [aws, onprem]}}]
    unreachable: skip
    canary: {{steps: [setWeight: 20, pause: {{}}, setWeight: 60]}}
  analysis: {{metrics: []}}
"""


@pytest.mark.timeout(400)
def test_an_innocent_version_goes_on_elsewhere_when_the_cloud_of_its_canary_loses_its_machines(
    install,
):
    world = install("aws", "gcp", "onprem")
    world.serve(APPLICATION)
    users = world.start("sandbox", "load", "--rate", "40", "--duration", "300s")

    def story():
        return str(world.data("rollout", "why", "colors"))

    try:
        world.until(lambda: all(world.share(each) for each in ("aws", "gcp", "onprem")))
        world.run("deploy", "colors", "--set", "colour=yellow")
        world.until(lambda: world.rollout()["percent"] == 20, "the canary has no users")
        world.run("sandbox", "blackout", "gcp")
        world.until(lambda: world.share("gcp") == 0, "users have not left")
        world.until(lambda: "gcp had the only canary" in story(), "it is not known for lost", 120)
        world.until(lambda: "aws: 20 % confirmed" in story(), "it has not begun elsewhere")
        assert world.rollout()["phase"] == "progressing"
    finally:
        users.terminate()
        users.wait(20)

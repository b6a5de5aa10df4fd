"""Only the clone of an integration has its key, and no log shows it."""

import pytest

from crossfade.base.errors import Unavailable
from crossfade.engine.pipelines.deploy_keys import with_deploy_key
from crossfade.ports.runner import Order, RunId
from crossfade.testing.fake_secrets import FakeSecrets

ORDER = Order(RunId("1", 0, "clone", 1), "script", environment={"A": "1"}, secrets=("s",))


async def test_a_clone_has_the_key_and_the_hosts_of_its_integration():
    secrets = FakeSecrets(git_key_acme="KEY", git_hosts_acme="HOSTS")

    found = await with_deploy_key(ORDER, "acme", secrets)

    assert found.environment == {
        "A": "1",
        "GIT_SSH_KEY": "KEY",
        "GIT_SSH_KNOWN_HOSTS": "HOSTS",
    }
    assert found.secrets == ("s", "KEY"), "logs must not show it"


@pytest.mark.parametrize("integration", ["other", "my github", "CF-default", "../acme"])
async def test_an_integration_without_a_key_changes_nothing(integration):
    secrets = FakeSecrets(git_key_acme="KEY")

    assert await with_deploy_key(ORDER, integration, secrets) == ORDER


async def test_a_place_of_secrets_that_does_not_answer_is_asked_again():
    class Silent(FakeSecrets):
        async def resolve(self, ref):
            raise Unavailable("no answer", hint="wait")

    with pytest.raises(Unavailable):
        await with_deploy_key(ORDER, "acme", Silent())

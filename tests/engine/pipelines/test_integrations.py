"""Only the step of an integration has its key and its token, and no log shows them."""

import pytest

from crossfade.base.errors import Unavailable
from crossfade.engine.pipelines.integrations import with_integration
from crossfade.ports.runner import Order, RunId
from crossfade.testing.fake_secrets import FakeSecrets

ORDER = Order(RunId("1", 0, "clone", 1), "script", environment={"A": "1"}, secrets=("s",))


async def test_a_clone_has_the_key_and_the_hosts_of_its_integration():
    secrets = FakeSecrets(git_key_acme="KEY", git_hosts_acme="HOSTS")

    found = await with_integration(ORDER, "acme", secrets)

    assert found.environment == {
        "A": "1",
        "GIT_SSH_KEY": "KEY",
        "GIT_SSH_KNOWN_HOSTS": "HOSTS",
    }
    assert found.secrets == ("s", "KEY"), "logs must not show it"


@pytest.mark.parametrize(
    ("name", "said", "server", "user"),
    [
        ("github", "", "https://github.com", "x-access-token"),
        ("GitLab-2", "", "https://gitlab.com", "x-access-token"),
        (
            "bitbucket",
            "https://x-token-auth@bitbucket.org",
            "https://bitbucket.org",
            "x-token-auth",
        ),
        ("github", "https://Git.example.com/\n", "https://git.example.com", "x-access-token"),
        ("acme", "http://127.0.0.1:8080", "http://127.0.0.1:8080", "x-access-token"),
    ],
)
async def test_a_token_comes_with_the_one_server_that_may_hear_it(name, said, server, user):
    values = {f"git-{name}": "TOKEN\n"} | ({f"git-server-{name}": said} if said else {})

    found = await with_integration(ORDER, name, FakeSecrets(**values))

    got = {key: found.environment[f"GIT_{key}"] for key in ("TOKEN", "SERVER", "TOKEN_USER")}
    assert got == {"TOKEN": "TOKEN", "SERVER": server, "TOKEN_USER": user}
    assert "TOKEN" in found.secrets


@pytest.mark.parametrize("said", ["", "git.example.com", "https://a b", "file:///x", "https://"])
async def test_a_token_whose_server_nobody_knows_is_not_given_and_that_is_said(said):
    secrets = FakeSecrets(git_acme="TOKEN", git_server_acme=said)

    found = await with_integration(ORDER, "acme", secrets)

    assert found.environment == {"A": "1"}
    assert "git-server-acme is to say" in found.script


async def test_the_key_of_one_integration_is_never_sent_as_the_token_of_another():
    secrets = FakeSecrets(git_key_github="KEY", git_server_key_github="https://evil.example.com")

    assert await with_integration(ORDER, "key-github", secrets) == ORDER


@pytest.mark.parametrize("integration", ["other", "my github", "CF-default", "../acme"])
async def test_an_integration_without_a_key_changes_nothing(integration):
    secrets = FakeSecrets(git_key_acme="KEY")

    assert await with_integration(ORDER, integration, secrets) == ORDER


async def test_a_place_of_secrets_that_does_not_answer_is_asked_again():
    class Silent(FakeSecrets):
        async def resolve(self, ref):
            raise Unavailable("no answer", hint="wait")

    with pytest.raises(Unavailable):
        await with_integration(ORDER, "acme", Silent())

"""`crossfade sso`: who vouches for people."""

SET = ("sso", "set", "--issuer", "https://login.example.com", "--client-id", "crossfade")


def test_a_provider_is_named_shown_and_removed(crossfade):
    assert "passwords only" in crossfade("sso", "show").err
    groups = ("--group", "ops=admin", "--group", "devs=developer:colors", "--group", "devs=viewer")
    made = crossfade(*SET, *groups, "--scope", "groups")
    shown = crossfade("sso", "show", "-o", "json").data["provider"]

    assert "register http://127.0.0.1:8780/api/v1/session/sign-on/callback there" in made.out
    assert shown["groups"] == {"devs": ["developer:colors", "viewer"], "ops": ["admin"]}
    assert shown["scopes"] == ["openid", "profile", "email", "groups"]
    assert "groups ops: admin" in crossfade("sso", "show").out
    assert crossfade("sso", "remove").code == 0
    assert crossfade("sso", "remove").code == 3


def test_what_is_wrong_is_said(crossfade):
    assert "gives nobody anything" in crossfade(*SET, "--group", "ops").err
    assert "`king` is no role" in crossfade(*SET, "--group", "ops=king").err
    url = ("--url", "http://hub.example.com")
    assert "cannot be trusted" in crossfade(*SET, "--group", "ops=admin", *url).err

"""What `spec.dns` may say."""

import pytest

from crossfade.adapters.documents.application import parse
from crossfade.base.errors import InputError

FILE = """
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {{name: colors}}
spec:
  source: {{chart: oci://registry.example.com/colors, version: "1"}}
  route: {{host: colors.example.com, service: colors}}
  dns: {{{dns}}}
"""
KEY = "key: {name: crossfade, secret: {secret: dns-key}}"


def test_three_keys_are_enough():
    (found,) = parse(FILE.format(dns=f"server: 10.0.0.53, zone: example.com, {KEY}"), "f.yaml")

    assert (found.dns.port, found.dns.ttl_seconds, dict(found.dns.edges)) == (53, 30, {})


def test_over_tls_the_usual_port_is_another_and_certificates_are_looked_at():
    text = f"server: 10.0.0.53, zone: example.com, probeScheme: https, {KEY}"
    (found,) = parse(FILE.format(dns=text), "f.yaml")

    assert (found.dns.probe_port, found.dns.probe_verify) == (443, True)


@pytest.mark.parametrize(
    ("dns", "words"),
    [
        (f"server: ns.example.com, zone: example.com, {KEY}", "spec.dns.server"),
        (f"server: 1.2.3, zone: example.com, {KEY}", "`1.2.3` is not an IPv4 or IPv6 address"),
        (f"server: 10.0.0.53, zone: example.org, {KEY}", "does not hold the host colors.example.com"),
        (f"server: 10.0.0.53, zone: ample.com, {KEY}", "does not hold the host"),
        (f"server: 10.0.0.53, zone: example.com, probeVerify: false, {KEY}", "without `probeScheme: https`"),
        (f"server: 10.0.0.53, zone: example.com, probeScheme: tls, {KEY}", "spec.dns.probeScheme"),
        ("server: 10.0.0.53, zone: example.com", "spec.dns.key"),
        (f"server: 10.0.0.53, zone: example.com, ttl: 0, {KEY}", "spec.dns.ttl"),
        (f"server: 10.0.0.53, zone: example.com, edges: {{e: 999.1.1.1}}, {KEY}", "999.1.1.1"),
        ("server: 10.0.0.53, zone: example.com, key: {name: k, secret: c2VjcmV0}", "spec.dns.key.secret"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_where_it_stands(dns, words):
    with pytest.raises(InputError) as refused:
        parse(FILE.format(dns=dns), "f.yaml")

    assert words in str(refused.value)


def test_a_name_needs_a_route():
    text = FILE.replace("  route: {{host: colors.example.com, service: colors}}\n", "")
    with pytest.raises(InputError) as refused:
        parse(text.format(dns=f"server: 10.0.0.53, zone: example.com, {KEY}"), "f.yaml")

    assert "publishes `route.host`, and there is none" in str(refused.value)

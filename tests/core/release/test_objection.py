"""Whose an objection is: the object's own form, or a policy of this cluster."""

import pytest

from crossfade.core.release.objection import objection


@pytest.mark.parametrize(
    ("message", "is_policy"),
    [
        ('admission webhook "validate.kyverno.svc" denied the request: no latest tag', True),
        ("ValidatingAdmissionPolicy 'owners' with binding 'all' denied request: no owner", True),
        (
            'pods "web-" is forbidden: violates PodSecurity "restricted:latest": host namespaces',
            True,
        ),
        ('pods "web-" is forbidden: exceeded quota: small, requested: pods=1, used: pods=5', True),
        ('pods "web-" is forbidden: failed quota: small: must specify limits.cpu', True),
        ('pods "web-" is forbidden: maximum cpu usage per Container is 1, but limit is 2', True),
        ('deployments.apps "web" is forbidden: User "ci" cannot patch resource', False),
        ('Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1', False),
        ("no matches for kind", False),
    ],
)
def test_policies_are_told_apart_from_the_form_of_the_object(message, is_policy):
    assert objection("Deployment", "web", message).is_policy is is_policy

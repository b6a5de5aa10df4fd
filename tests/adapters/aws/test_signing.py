"""Signatures; the expected ones are of AWS's public test suite for Signature Version 4."""

import pytest

from crossfade.adapters.aws.signing import Keys, Scope, signed
from crossfade.adapters.http.caller import Call
from crossfade.base.secrets import Secret

KEYS = Keys("AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
SCOPE = Scope("us-east-1", "service")
AT = 1440938160.0  # 2015-08-30T12:36:00Z
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("call", "signature"),
    [
        pytest.param(
            Call("https://example.amazonaws.com/"),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            id="get-vanilla",
        ),
        pytest.param(
            Call("https://example.amazonaws.com/?Param2=value2&Param1=value1"),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            id="get-vanilla-query-order-key-case",
        ),
        pytest.param(
            Call("https://example.amazonaws.com/", "POST"),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            id="post-vanilla",
        ),
        pytest.param(
            Call("https://example.amazonaws.com/", "POST", {}, FORM, b"Param1=value1"),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            id="post-x-www-form-urlencoded",
        ),
    ],
)
def test_a_signature_is_the_one_that_aws_expects(call, signature):
    authorization = signed(call, KEYS, SCOPE, AT).headers["Authorization"]
    assert authorization.startswith(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
    )
    assert authorization.endswith(f"Signature={signature}")


def test_temporary_credentials_send_and_sign_their_token():
    keys = Keys("AKIDEXAMPLE", Secret("k"), Secret("t0k3n"))
    call = signed(Call("https://example.amazonaws.com/"), keys, SCOPE, AT)
    assert call.headers["X-Amz-Security-Token"] == "t0k3n"
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token" in call.headers["Authorization"]
    assert {each.reveal() for each in call.secrets} == {"k", "t0k3n"}

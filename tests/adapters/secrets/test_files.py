"""Secrets in files."""

import pytest

from crossfade.adapters.secrets.files import FileSecrets
from crossfade.base.errors import InputError, NotFound
from crossfade.base.secrets import SecretRef


@pytest.mark.parametrize("name", ["../shadow", "/etc/passwd", "a/b", "..", "", ".hidden", "a\0b"])
async def test_a_name_cannot_lead_out_of_the_folder(tmp_path, name):
    (tmp_path / "inside").mkdir()
    (tmp_path / "shadow").write_text("secret")
    with pytest.raises(InputError, match="not the name of a secret"):
        await FileSecrets(tmp_path / "inside").resolve(SecretRef(name))


async def test_a_folder_of_keys_is_what_kubernetes_mounts(tmp_path):
    (tmp_path / "slack").mkdir()
    (tmp_path / "slack" / "url").write_text("https://hooks.test/1")
    secret = await FileSecrets(tmp_path).resolve(SecretRef("slack", "url"))
    assert secret.reveal() == "https://hooks.test/1"


async def test_an_empty_file_is_no_secret(tmp_path):
    (tmp_path / "token").write_text("\n")
    with pytest.raises(NotFound, match="is empty"):
        await FileSecrets(tmp_path).resolve(SecretRef("token"))


async def test_bytes_that_are_no_text_are_refused_without_being_shown(tmp_path):
    (tmp_path / "token").write_bytes(b"\xff\xfesecret")
    with pytest.raises(InputError) as raised:
        await FileSecrets(tmp_path).resolve(SecretRef("token"))
    assert raised.value.__cause__ is None
    assert "secret" not in str(raised.value).replace("the secret", "")


async def test_spaces_within_a_secret_are_kept(tmp_path):
    (tmp_path / "token").write_text(" a b \r\n")
    assert (await FileSecrets(tmp_path).resolve(SecretRef("token"))).reveal() == " a b "

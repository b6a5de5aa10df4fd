"""The files of the authority by which the hub and edges of other machines know each other."""

from dataclasses import dataclass
from pathlib import Path

from crossfade.adapters.envoy.bootstrap import HUB_NAME, Identity
from crossfade.adapters.envoy.tls import CA, HUB, HUB_KEY
from crossfade.base.certificates import Authority, Validity, ends_at
from crossfade.base.errors import InputError, Unavailable
from crossfade.base.files import write_text
from crossfade.base.secrets import Secret

CA_KEY = "ca.key"
"""Signs for new edges; a hub needs it not, so it may be kept elsewhere."""


@dataclass(frozen=True, slots=True)
class EdgeAuthority:
    """The files in one folder."""

    folder: Path

    def make(self, validity: Validity) -> bool:
        """
        Make the authority unless it is there; return whether it was made.

        Raises InputError, Unavailable.
        """
        if (self.folder / CA).exists():
            self._read()
            return False
        if (self.folder / CA_KEY).exists():
            raise InputError(
                f"{self.folder} has {CA_KEY}, which signs for edges, and not {CA}",
                hint=f"bring {CA} back; remove {CA_KEY} only if no edge has a certificate by it",
            )
        made = Authority.new("crossfade-edges", validity)
        self._write(CA_KEY, made.key.reveal())
        self._write(CA, made.pem)
        return True

    def certify_hub(self, validity: Validity) -> None:
        """Make the hub another certificate.  Raises InputError, Unavailable."""
        made = self._read().sign(HUB_NAME, (), validity)
        self._write(HUB_KEY, made.key.reveal())
        self._write(HUB, made.pem)

    def has_hub(self) -> bool:
        """Say whether the hub has a certificate, and its key."""
        return all((self.folder / each).exists() for each in (HUB, HUB_KEY))

    def hub_ends_at(self) -> float:
        """Return until when the hub's certificate is good, in Unix seconds.  Raises InputError."""
        return ends_at(self._content(HUB))

    def identity(self, edge: str, validity: Validity) -> Identity:
        """Return a new certificate for an edge, and what it knows hubs by.  Raises InputError."""
        authority = self._read()
        return Identity(authority.pem, authority.sign(edge, (), validity))

    def _read(self) -> Authority:
        return Authority.read(self._content(CA), Secret(self._content(CA_KEY)))

    def _content(self, name: str) -> str:
        path = self.folder / name
        try:
            return path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            hint = "`crossfade edge authority FOLDER` makes an authority where there is none"
            if name == CA_KEY:
                hint = f"bring {CA_KEY} here from where it is kept; without it nothing is signed"
            raise InputError(f"the file {path} cannot be read: {reason}", hint=hint) from error

    def _write(self, name: str, text: str) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_text(self.folder / name, text)
        except OSError as error:
            raise Unavailable(
                f"the file {self.folder / name} cannot be written: {error.strerror}",
                hint="see that the folder can be written and has room",
            ) from error

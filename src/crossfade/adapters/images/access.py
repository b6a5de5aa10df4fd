"""Images from and to the registries that are known, with who we are there."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from crossfade.adapters.images import transfer
from crossfade.adapters.images.builder import machine_platform
from crossfade.adapters.images.credentials import Credentials, docker_credentials
from crossfade.adapters.images.registry import Registry
from crossfade.adapters.images.store import ImageStore
from crossfade.base.errors import NotFound
from crossfade.base.secrets import SecretRef
from crossfade.core.image.documents import Descriptor, digest
from crossfade.core.image.reference import Reference
from crossfade.core.image.registries import KnownRegistry, serving
from crossfade.ports.secrets import Secrets

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Access:
    """Known registries, the place of their passwords, and the images that are kept here."""

    store: ImageStore
    known: Sequence[KnownRegistry]
    secrets: Secrets
    first: Sequence[str] = ()
    """Names of the registries that go before others at the same address."""
    credentials: Credentials | None = None
    """In place of all others."""

    def is_known(self, image: Reference) -> bool:
        """Return whether the image is in a registry that people have made known."""
        return serving(self.known, image, self.first) is not None

    def open(self, image: Reference) -> Registry:
        """Return the image's registry.  Raises NotFound when there is no password for its user."""
        return Registry(image, self.credentials or self._credentials(image))

    def _credentials(self, image: Reference) -> Credentials | None:
        found = serving(self.known, image, self.first)
        if found is None or not found.username:
            return docker_credentials(image)
        try:
            secret = asyncio.run(self.secrets.resolve(SecretRef(found.secret)))
        except NotFound as error:
            hint = f"`crossfade image registry add` with --password-stdin keeps it; {error.hint}"
            raise NotFound(f"the registry {found.name} has no password", hint=hint) from error
        return Credentials(found.username, secret.reveal())

    def fetch(self, image: Reference, say: Say) -> Descriptor:
        """Return an image of a registry, kept here under its name.  Raises NotFound."""
        with self.open(image) as registry:
            return transfer.pull(self.store, image, registry, machine_platform(), say)

    def here(self, image: Reference, say: Say) -> Descriptor | None:
        """Return an image that is kept here, or else in a known registry; None: neither."""
        found = self.store.find(image)
        if found is None and self.is_known(image):
            say(f"{image} is not here: it is fetched")
            return self.fetch(image, say)
        return found

    def send(self, image: Descriptor, names: Iterable[Reference], say: Say) -> int:
        """Bring an image to the registries of these names, and return how many blobs were sent."""
        sent = 0
        for name in names:
            with self.open(name) as registry:
                if registry.digest_of(name.tag) == image.digest:
                    say(f"{name} is there already")
                    continue
                sent += transfer.push(self.store, image, registry, name.tag, say)
            say(f"pushed {name}")
        return sent

    def tag(self, image: Reference, tags: Iterable[str]) -> Descriptor:
        """Return an image of a registry after it was given more tags there; nothing is copied."""
        with self.open(image) as registry:
            kind, content = registry.manifest(image.digest or image.tag, right="push")
            for tag in tags:
                registry.put_manifest(tag, kind, content)
        return Descriptor(kind, digest(content), len(content))

"""Passwords that take no time; nobody's are real in tests."""


class FakePasswords:
    """The port Passwords; what was compared is remembered."""

    def __init__(self) -> None:
        self.compared: list[str] = []

    async def hashed(self, password: str) -> str:
        """Return what is kept of the password."""
        return f"kept {password}"

    async def fits(self, password: str, kept: str) -> bool:
        """Say whether it is the password that was kept."""
        self.compared.append(kept)
        return kept == f"kept {password}"

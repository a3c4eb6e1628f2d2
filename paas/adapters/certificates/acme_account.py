"""The account at the issuer: made once, however many orders begin at the same time.

certbot makes it in the folder of an order, and it is moved to its place as a whole, so that a kill
leaves no half of one.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from paas.adapters.system.files import make_directory, remove, write_atomic
from paas.adapters.system.flocks import locked
from paas.domain.certificates.acme import Failure, IssueError
from paas.settings import Settings

# Runs certbot's subcommand with its own folder of settings and these options; what it printed, if
# it failed.
Register = Callable[[Path, list[str | Path]], str | None]


class AcmeAccount:
    """Of this server, at the issuer of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        issuer = urlsplit(settings.acme_directory)
        # As certbot names it, below its folder of settings.
        self._place = Path("accounts", issuer.netloc, issuer.path.strip("/"))
        self._folder = settings.paths.acme_account / self._place

    def ensure(
        self, folder: Path, register: Register, failure_of: Callable[[str], Failure], lost: str = ""
    ) -> str:
        """Have one, and share it with the order in that folder; returns its id.

        lost: an id that the issuer no longer knows. Raises IssueError if none can be made.
        """
        accounts = self._settings.paths.acme_account / "accounts"
        for path in (accounts.parent, accounts):
            make_directory(path, mode=0o700)
        config = folder / "config"
        make_directory(config, mode=0o700)
        link = config / "accounts"
        if not link.is_symlink():
            link.symlink_to(accounts)
        with locked(self._settings.paths.acme / "account.lock"):
            present = self._id()
            if present and present == lost:
                # The former one is kept beside it.
                self._folder.rename(
                    self._folder.with_name(f"{self._folder.name}-lost-{time.time():.0f}")
                )
                present = ""
            return present or self._made(folder / "account", register, failure_of)

    def _id(self) -> str:
        """The account's id, or an empty string if there is no account."""
        if not self._folder.is_dir():
            return ""
        names = (path.parent.name for path in self._folder.glob("*/regr.json"))
        return next(iter(sorted(names)), "")

    def _made(self, config: Path, register: Register, failure_of: Callable[[str], Failure]) -> str:
        try:
            words = register(config, self._options())
        finally:
            remove(self._settings.paths.acme_binding)
        if words is not None:
            raise IssueError(failure_of(words))
        (made,) = (config / self._place).iterdir()
        for path in reversed([self._folder, *self._folder.parents][: len(self._place.parts) - 1]):
            make_directory(path, mode=0o700)
        made.rename(self._folder / made.name)
        return made.name

    def _options(self) -> list[str | Path]:
        """Whom the issuer writes to, and whose customer this is."""
        settings = self._settings
        email = settings.acme_email
        options: list[str | Path] = (
            ["--email", email, "--no-eff-email"] if email else ["--register-unsafely-without-email"]
        )
        binding = (settings.acme_eab_kid, settings.acme_eab_hmac_key)
        if binding == ("", ""):
            return options
        if any(re.fullmatch(r"[A-Za-z0-9_=-]+", word) is None for word in binding):
            what = "acme_eab_kid and acme_eab_hmac_key in server.yml are not two words of base64url"
            raise IssueError(Failure(what, asked=False))
        # In a file, since every user of the machine can see command lines.
        path = settings.paths.acme_binding
        kid, key = binding
        write_atomic(path, f"eab-kid = {kid}\neab-hmac-key = {key}\n", mode=0o600)
        return [*options, "--config", path]

"""The ACME issuer, asked by certbot: one name at a time, or several processes at once.

certbot gets a signing request and gives back a chain; with its option --csr it keeps nothing but
the account. The key is made here and never handed over. A renewal works the same way, so certbot
has no state that could differ from ours, and its own timer finds nothing to renew.
"""

import re
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from paas.adapters.certificates import acme_check, dns_challenge
from paas.adapters.certificates.acme_account import AcmeAccount
from paas.adapters.certificates.dns_challenge import DnsOptions
from paas.adapters.certificates.order_folders import order_folder
from paas.adapters.network.resolver import SystemResolver
from paas.adapters.proxy.nginx.site_conf import challenges_directory
from paas.adapters.system.files import make_directory, read_bytes, remove, write_atomic
from paas.adapters.system.subprocesses import run
from paas.domain.certificates.acme import Failure, IssueError
from paas.domain.certificates.dns import DnsChallenge
from paas.domain.values.errors import PaasError
from paas.settings import Settings

# update-ca-certificates(8)
MACHINE_CAS = Path("/etc/ssl/certs/ca-certificates.crt")
CERTBOT = "/usr/bin/certbot"
ISSUE_LIMIT_S = 300.0
DNS_LIMIT_S = 10.0
LOGS_KEPT = 20
_NOISE = re.compile(
    r"Saving debug log|Ask for help|See the logfile|An unexpected error occurred|Hint:|"
    r"Account registered|Requesting a certificate|Performing the following|"
    r"Certbot failed to authenticate|Some challenges have failed|Waiting for verification|"
    r"Encountered exception during recovery|The server will|Another instance|Please read the Terms"
)
_LIMITED = re.compile(r"rateLimited|too many|rate limit", re.IGNORECASE)
_UNREACHABLE = re.compile(
    r"ConnectionError|SSLError|ConnectTimeout|ReadTimeout|Max retries exceeded|"
    r"NameResolutionError|ProxyError|Requesting \S+: |Another instance of Certbot"
)
# What the issuer says of the account, as it is in certbot's log (RFC 8555, 6.7 and 7.3.6).
_LOST = re.compile(rb"acme:error:accountDoesNotExist|Account is not valid, has status")
# Failures of the program itself or of this machine, not of the issuer.
_MISSING = re.compile(r"^setpriv: failed to execute.*|^(?:ModuleNotFound|Import)Error: .*", re.M)
_BAD_SETTINGS = re.compile(r"^certbot: error: (.*)", re.MULTILINE)


class Certbot:
    """`Issuer` of interfaces."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._root = settings.paths.acme
        self._resolver = SystemResolver(settings)

    def points_here(self, host: str) -> str | None:
        """Whether a challenge for the host would be answered by this server; why not, or None."""
        if not self._settings.acme_check:
            return None
        self._prepare()
        return acme_check.points_here(
            host,
            self._settings.acme_port,
            challenges_directory(self._settings),
            lambda name: self._resolver.lookup([name], DNS_LIMIT_S)[name],
        )

    def refuse_unable(self, dns: DnsChallenge) -> None:
        """Raises PaasError if what proves names by DNS is not on this machine."""
        dns_challenge.refuse_unable(self._settings, dns)

    def issue(self, host: str, *more: str, dns: DnsChallenge | None = None) -> bytes:
        """A new chain and key, PEM. Raises IssueError if it gets none."""
        self._prepare()
        try:
            with order_folder(self._root / "new") as folder:
                key, request = signing_request(host, *more)
                write_atomic(folder / "csr.pem", request, durable=False)
                self._ask(host, folder, dns)
                chain = read_bytes(folder / "chain.pem")
        except PaasError as error:
            raise IssueError(Failure(error.report)) from error
        if chain is None:
            raise IssueError(Failure("certbot succeeded, but there is no certificate"))
        return chain + key

    def _prepare(self) -> None:
        """Where certbot puts its answers; nginx, under another account, serves them from there."""
        challenges = challenges_directory(self._settings)
        webroot = self._webroot()
        for path in (self._root, challenges, webroot, webroot / ".well-known"):
            make_directory(path, mode=0o711)
        link = webroot / ".well-known" / "acme-challenge"
        with suppress(FileExistsError):
            link.symlink_to(challenges)

    def _webroot(self) -> Path:
        return self._root / "webroot"

    def _ask(self, host: str, folder: Path, dns: DnsChallenge | None) -> None:
        """Raises IssueError."""
        account = AcmeAccount(self._settings)

        def register(config: Path, options: list[str | Path]) -> str | None:
            what = "Making an account at the certificate issuer"
            return self._run("register", config, ["--agree-tos", *options], what)

        id = account.ensure(folder, register, failure_of)
        words = self._certonly(host, folder, dns)
        if words is not None and _says_lost(folder):
            account.ensure(folder, register, failure_of, lost=id)
            words = self._certonly(host, folder, dns)
        if words is not None:
            raise IssueError(failure_of(words))

    def _certonly(self, host: str, folder: Path, dns: DnsChallenge | None) -> str | None:
        """What certbot printed, if it failed."""
        # --webroot would conflict with an authenticator in /etc/letsencrypt/cli.ini.
        proof = DnsOptions(["--authenticator", "webroot", "--webroot-path", self._webroot()])
        if dns is not None:
            proof = dns_challenge.options(self._settings, dns, folder)
        return self._run(
            "certonly",
            folder / "config",
            [
                *proof.arguments,
                *("--preferred-challenges", "http" if dns is None else "dns"),
                *("--csr", folder / "csr.pem"),
                *("--cert-path", folder / "cert.pem", "--chain-path", folder / "issuer.pem"),
                *("--fullchain-path", folder / "chain.pem"),
            ],
            f"Asking for a certificate for {host}",
            timeout_s=ISSUE_LIMIT_S if dns is None else dns_challenge.LIMIT_S,
            env=self._environment(folder, with_plugins=dns is not None) | proof.env,
        )

    def _run(
        self,
        command: str,
        config: Path,
        arguments: list[str | Path],
        description: str,
        *,
        timeout_s: float = ISSUE_LIMIT_S,
        env: Mapping[str, str] | None = None,
    ) -> str | None:
        """What certbot printed, if it failed. config: its settings, in the folder of the order.

        certbot locks its folders, so that no two that run at once have one in common.
        """
        folder = config.parent
        try:
            done = run(
                [
                    # If this process is killed, so is certbot: its successor starts again.
                    *("/usr/bin/setpriv", "--pdeathsig", "KILL", CERTBOT, command),
                    *("--non-interactive", "--server", self._settings.acme_directory),
                    *arguments,
                    *("--config-dir", config, "--work-dir", folder / "work"),
                    *("--logs-dir", folder / "logs", "--max-log-backups", "0"),
                ],
                description=description,
                timeout_s=timeout_s,
                env=self._environment(folder, with_plugins=False) if env is None else env,
                check=False,
            )
        finally:
            self._keep_log(folder)
        return None if done.ok else done.output.decode(errors="replace")

    def _keep_log(self, folder: Path) -> None:
        """The last logs, whichever orders they are of."""
        logs = self._settings.paths.acme_logs
        make_directory(logs, mode=0o700)
        with suppress(FileNotFoundError):
            name = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(4)}.log"
            shutil.copyfile(folder / "logs" / "letsencrypt.log", logs / name)
        ages: dict[Path, float] = {}
        for path in logs.iterdir():
            with suppress(FileNotFoundError):  # others do this, too
                ages[path] = path.stat().st_mtime
        for path in sorted(ages, key=ages.__getitem__)[:-LOGS_KEPT]:
            remove(path)

    def _environment(self, folder: Path, *, with_plugins: bool) -> dict[str, str]:
        """A minimal environment, with the machine's proxy settings and the issuer's own CA.

        Plugins verify their providers with what it names, too, and those are no clients of that CA:
        for them, folder gets a file with those that the machine trusts as well.
        """
        env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(self._root)}
        machine = self._settings.build_env
        env |= {n: v for n, v in machine.items() if n.upper().endswith("_PROXY")}
        own, trusted = self._settings.acme_ca_bundle, machine.get("SSL_CERT_FILE", "")
        bundle = own or trusted
        if own and with_plugins:
            both = [read_bytes(Path(path)) or b"" for path in (trusted or MACHINE_CAS, own)]
            bundle = str(folder / "issuers.pem")
            write_atomic(Path(bundle), b"\n".join(both), mode=0o644, durable=False)
        return env | ({"REQUESTS_CA_BUNDLE": bundle} if bundle else {})


def _says_lost(folder: Path) -> bool:
    """Whether certbot failed because the issuer does not know the account, or has ended it.

    certbot prints a fault of its own instead; the log is of the last run alone.
    """
    log = read_bytes(folder / "logs" / "letsencrypt.log") or b""
    return _LOST.search(log) is not None


def signing_request(*hosts: str) -> tuple[bytes, bytes]:
    """A new key and a certificate signing request for these names, both PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    request = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem, request.public_bytes(serialization.Encoding.PEM)


def failure_of(words: str) -> Failure:
    """What certbot's output says about the reason."""
    details = re.findall(r"^ *Detail: (.*(?:\n(?! *(?:Domain|Hint):|\n).+)*)", words, re.MULTILINE)
    kinds = re.findall(r"^ *Type: +(\w+)", words, re.MULTILINE)
    if details:
        detail = " ".join(details[0].split())
        text = f"The issuer says: {detail} ({kinds[0]})" if kinds else detail
        return Failure(text, limited=bool(_LIMITED.search(" ".join(kinds))))
    if missing := _MISSING.search(words):
        return Failure(
            f"certbot does not run on this server ({missing[0]}); an administrator can repair "
            "it with: "
            "sudo apt-get install --reinstall certbot",
            asked=False,
        )
    if setting := _BAD_SETTINGS.search(words):
        return Failure(
            f"certbot rejects its settings on this server: {setting[1]}. An administrator has to "
            "correct /etc/letsencrypt/cli.ini",
            asked=False,
        )
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    telling = [line for line in lines if not _NOISE.match(line)]
    text = " ".join(telling[-3:]) or " ".join(lines[-2:]) or "certbot gave no reason"
    if _UNREACHABLE.search(words):
        return Failure(f"The issuer cannot be reached: {text}", asked=False)
    return Failure(text, limited=bool(_LIMITED.search(words)))

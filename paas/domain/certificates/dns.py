"""Proofs of names by DNS (RFC 8555, 8.4): who can make them, and with which credentials."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.secret import Secret

HOOK = "hook"
CREDENTIALS_MAX_BYTES = 16_384
_HOOK_PATH = re.compile(r"/[A-Za-z0-9._/+-]{1,200}")
_AWS_FILE = re.compile(
    r"(?:#[^\n]*\n|\s)*\[default\]\s*\n(?:\s*|#[^\n]*\n|(?:aws_\w+|region) *= *\S+ *\n?)*"
)
_AWS_NAMES = ("aws_access_key_id", "aws_secret_access_key")
_SETTING = re.compile(r"(dns_[a-z0-9]+)_[a-z0-9_]+ *= *\S.*")


@dataclass(frozen=True, slots=True)
class Provider:
    """A DNS service that certbot has a plugin for, as a package of Debian.

    module: of the plugin. example: its credentials, as the plugin reads them.
    """

    name: str
    title: str
    module: str
    package: str
    example: str


def _plugin(name: str, title: str, *keys: str) -> Provider:
    example = "\n".join(f"dns_{name}_{key} = ..." for key in keys)
    return Provider(name, title, f"certbot_dns_{name}", f"python3-certbot-dns-{name}", example)


_AWS = "[default]\naws_access_key_id = ...\naws_secret_access_key = ..."
PROVIDERS: Mapping[str, Provider] = {
    one.name: one
    for one in (
        _plugin("cloudflare", "Cloudflare", "api_token"),
        _plugin("digitalocean", "DigitalOcean", "token"),
        Provider(
            "gandi",
            "Gandi",
            "certbot_plugin_gandi",
            "python3-certbot-dns-gandi",
            "dns_gandi_api_key = ...",
        ),
        Provider(
            "google",
            "Google Cloud DNS",
            "certbot_dns_google",
            "python3-certbot-dns-google",
            "the JSON file of a service account",
        ),
        _plugin("linode", "Linode", "key"),
        _plugin("ovh", "OVH", "endpoint", "application_key", "application_secret", "consumer_key"),
        _plugin("rfc2136", "RFC 2136 (BIND, Knot, PowerDNS)", "server", "name", "secret"),
        Provider("route53", "Route 53", "certbot_dns_route53", "python3-certbot-dns-route53", _AWS),
    )
}


@dataclass(frozen=True, slots=True)
class DnsChallenge:
    """How this server proves names by DNS.

    provider: of PROVIDERS, or HOOK with the program that makes the record and the one that removes
    it, if there is one.
    """

    provider: str
    credentials: Secret
    hook: tuple[str, ...]
    set_at: datetime

    @property
    def words(self) -> str:
        """Of whom, in words, without credentials."""
        if self.provider == HOOK:
            return f"the hook {' and '.join(self.hook)}"
        return PROVIDERS[self.provider].title


def challenge(
    provider: str, hook: tuple[str, ...], credentials: str, now: datetime
) -> DnsChallenge:
    """One that was checked as far as it can be without the provider. Raises PaasError."""
    if provider == HOOK:
        if len(hook) not in {1, 2} or not all(_HOOK_PATH.fullmatch(path) for path in hook):
            raise usage_error(
                "dns-hook",
                "A hook is one program that makes the record, and perhaps one that removes it, "
                "both with their whole path.",
                "For example: sudo paas certs:dns hook /usr/local/bin/dns-add "
                "/usr/local/bin/dns-remove",
            )
    elif provider not in PROVIDERS:
        known = ", ".join(PROVIDERS)
        raise usage_error(
            "dns-provider",
            f"There is no DNS provider of that name; there are {known}.",
            "For any other: sudo paas certs:dns hook AUTH CLEANUP",
        )
    else:
        _check(PROVIDERS[provider], credentials)
    return DnsChallenge(provider, Secret(credentials), hook, now)


def _check(provider: Provider, credentials: str) -> None:
    if not _are_credentials(provider, credentials):
        raise PaasError(
            "dns-credentials",
            f"These are no credentials for {provider.title}. What is expected on standard input:\n"
            f"{provider.example}",
            f"For example: paas certs:dns {provider.name} < credentials.ini",
        )


def _are_credentials(provider: Provider, text: str) -> bool:
    """Whether they have the form that the plugin reads; no more is known of them here.

    Settings with which a library would start a program, such as AWS's credential_process, are none.
    """
    if len(text.encode()) > CREDENTIALS_MAX_BYTES or "\0" in text:
        return False
    if provider.name == "google":
        import json  # this file is a part of every command

        try:
            plain = json.loads(text)
        except ValueError:
            return False
        return isinstance(plain, dict) and plain.get("type") == "service_account"
    if provider.name == "route53":
        return _AWS_FILE.fullmatch(text) is not None and all(name in text for name in _AWS_NAMES)
    lines = [line.strip() for line in text.splitlines()]
    found = [_SETTING.fullmatch(line) for line in lines if line and not line.startswith("#")]
    return bool(found) and all(one and one[1] == f"dns_{provider.name}" for one in found)

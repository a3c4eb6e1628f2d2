"""Converts host names as people type them to the form that DNS uses (RFC 5891).

Most servers have none with other letters than a to z, so what these need is imported when one is
there.
"""

from paas.domain.routing.hosts import WILDCARD, HostName, host_name
from paas.domain.values.errors import usage_error
from paas.domain.values.names import shown

_ENCODED = "xn--"


def to_host_name(text: str) -> HostName:
    """The name in ASCII and lowercase, without a trailing dot. Raises PaasError if it is invalid.

    Lookalike letters are allowed: which names exist is up to the registries.
    """
    plain = text.removesuffix(".")
    wildcard = WILDCARD if plain.startswith(WILDCARD) else ""
    rest = plain.removeprefix(WILDCARD)
    if rest.isascii():
        for label in rest.lower().split("."):
            _refuse_broken(label)
        return host_name(wildcard + rest.lower())
    import idna

    try:
        ascii_text = idna.encode(rest, uts46=True).decode()
    except idna.IDNAError as error:
        raise usage_error("host-name", f"{shown(text)} is not a host name: {error}.") from error
    return host_name(wildcard + ascii_text)


def _refuse_broken(label: str) -> None:
    """Refuse an invalid label of an internationalised name (RFC 3492): nobody can have it.

    What it encodes is up to the registries: some have names that RFC 5892 would not allow.
    """
    if not label.startswith(_ENCODED):
        return
    import unicodedata

    code = label.removeprefix(_ENCODED)
    try:
        text = code.encode().decode("punycode")
        is_name = text.encode("punycode").decode() == code and not text.isascii()
    except UnicodeError:
        is_name = False
    if not is_name or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text):
        raise usage_error(
            "host-name",
            f"{shown(label)} is not a valid DNS form of a name with letters other than a to z. "
            "Give it as people read it, such as b\u00fccher.example.",
        )


def to_unicode(host: str) -> str:
    """The name as people read it; unchanged if it has no other form."""
    if _ENCODED not in host:
        return host
    import idna

    wildcard = WILDCARD if host.startswith(WILDCARD) else ""
    try:
        return wildcard + idna.decode(host.removeprefix(WILDCARD))
    except idna.IDNAError:
        return host


def both_ways(host: str) -> str:
    """The name as people read it and, if different, as DNS and files have it."""
    read = to_unicode(host)
    return host if read == host else f"{read} ({host})"

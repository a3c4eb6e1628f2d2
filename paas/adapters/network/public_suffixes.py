"""Which names have other owners below them: the Public Suffix List, https://publicsuffix.org."""

from functools import cache
from typing import TYPE_CHECKING

from paas.domain.routing.hosts import HostName

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def is_public_suffix(host: HostName) -> bool:
    """Whether anyone may register names below it, as with co.uk and github.io."""
    try:
        name = host.encode("ascii").decode("idna")
    except UnicodeError:
        name = host  # not a name that the list could have
    return _suffixes().publicsuffix(name) == name


@cache
def _suffixes() -> "PublicSuffixList":
    """The list, with names that are not ASCII as they are: to encode them takes four times as long.

    It is read when it is first needed, in some 10 ms; it would take 3 MiB of the gate's memory.
    """
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_encoded_idn=False)

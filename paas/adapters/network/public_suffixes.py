"""Which names have other owners below them: the Public Suffix List, https://publicsuffix.org."""

from paas.domain.routing.hosts import HostName


def is_public_suffix(host: HostName) -> bool:
    """Whether anyone may register names below it, as with co.uk and github.io."""
    from publicsuffixlist import PublicSuffixList  # reads its 330 KB list: 50 ms

    return PublicSuffixList().publicsuffix(host) == host

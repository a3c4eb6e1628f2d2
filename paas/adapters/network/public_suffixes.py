"""Which names have strangers below them: the Public Suffix List, https://publicsuffix.org."""

from paas.domain.routing.hosts import HostName


def is_public_suffix(host: HostName) -> bool:
    """Whether anybody may register names below it, as with co.uk and github.io."""
    from publicsuffixlist import PublicSuffixList  # reads its list of 330 KB: 50 ms

    return PublicSuffixList().publicsuffix(host) == host

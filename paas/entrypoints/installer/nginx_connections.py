"""Raises worker_connections in the machine's own nginx.conf. Standard library only.

nginx accepts only one events block, which that file has; Debian's 768 connections are soon used up,
even by one address that never completes its requests' headers. A higher number harms nobody, so
only the number is changed; the former one is kept beside it for an uninstall.
"""

import re

_LINE = re.compile(r"^([ \t]*worker_connections[ \t]+)([0-9]+)([ \t]*;)", re.MULTILINE)
_OURS = re.compile(
    r"^([ \t]*worker_connections[ \t]+)[0-9]+([ \t]*;) # paas: was ([0-9]+)$", re.MULTILINE
)


def raised(nginx_conf: str, wanted: int) -> str:
    """The file's text with at least so many; unchanged if it has them, or has no such line."""
    text = lowered(nginx_conf)
    found = _LINE.search(text)
    if found is None or int(found[2]) >= wanted:
        return text
    rest = text[found.end() :].partition("\n")[0]
    if rest.strip():  # a line that somebody edited
        return text
    line = f"{found[1]}{wanted}{found[3]} # paas: was {found[2]}"
    return text[: found.start()] + line + text[found.end() + len(rest) :]


def lowered(nginx_conf: str) -> str:
    """The file's text with the former number."""
    return _OURS.sub(r"\g<1>\g<3>\g<2>", nginx_conf)

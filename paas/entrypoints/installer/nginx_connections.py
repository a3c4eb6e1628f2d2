"""How many connections the machine's own nginx.conf lets a worker have. Standard library only.

The directive stands in the events block, which nginx takes once and from that file alone; Debian's
768 are soon taken, by one address that never ends its headers. Nobody loses by a higher number, so
the number alone is changed, with the former one beside it for an uninstall.
"""

import re

_LINE = re.compile(r"^([ \t]*worker_connections[ \t]+)([0-9]+)([ \t]*;)", re.MULTILINE)
_OURS = re.compile(
    r"^([ \t]*worker_connections[ \t]+)[0-9]+([ \t]*;) # paas: was ([0-9]+)$", re.MULTILINE
)


def raised(nginx_conf: str, wanted: int) -> str:
    """The file's text with at least so many; unchanged where it has them, or does not say."""
    text = lowered(nginx_conf)
    found = _LINE.search(text)
    if found is None or int(found[2]) >= wanted:
        return text
    rest = text[found.end() :].partition("\n")[0]
    if rest.strip():  # more stands in that line: it is somebody's own
        return text
    line = f"{found[1]}{wanted}{found[3]} # paas: was {found[2]}"
    return text[: found.start()] + line + text[found.end() + len(rest) :]


def lowered(nginx_conf: str) -> str:
    """The file's text as it was before."""
    return _OURS.sub(r"\g<1>\g<3>\g<2>", nginx_conf)

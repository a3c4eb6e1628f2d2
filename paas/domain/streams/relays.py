"""Connections to the web process that come over SSH: how the gate tells it whose they are."""

# The first byte makes it an abstract name (unix(7)), of no file.
_PREFIX = "\0paas-relay "
# Where heroku:proxy listens on a laptop: git remotes and the CLI's logins keep it.
PROXY_PORT = 5702


def peer_name(address: str, unique: str) -> bytes:
    """The name of the socket that a connection is made from. address: of the client, or empty."""
    return f"{_PREFIX}{address} {unique}".encode()


def address_in(peer: str) -> str | None:
    """The client's address by such a name; None if the connection is the proxy's."""
    if not peer.startswith(_PREFIX):
        return None
    return peer.removeprefix(_PREFIX).partition(" ")[0]

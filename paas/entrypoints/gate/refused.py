"""A request over HTTP that the gate does not serve."""


class RefusedError(Exception):
    """A request that is not served. Its text is for git to show, its status that of HTTP."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status

"""Under which names the server and its apps are reached."""

from dataclasses import dataclass

from paas.domain.values.names import AppName


@dataclass(frozen=True, slots=True)
class Addresses:
    """domain: the server's own; apps are NAME.domain. Ports and account as in server.yml.

    https_port: 0 if there is no HTTPS. own: host names of the server itself.
    """

    domain: str
    http_port: int
    ssh_port: int
    account: str
    https_port: int = 0
    own: tuple[str, ...] = ()

    def host(self, app: AppName) -> str:
        """The app's host name."""
        return f"{app}.{self.domain}"

    def url(self, app: AppName) -> str:
        """What a browser opens if the app has its own name and no certificate."""
        return self.url_of(self.host(app), secure=False)

    def url_of(self, host: str, *, secure: bool) -> str:
        """What a browser opens for a host name."""
        usual, port = (443, self.https_port) if secure else (80, self.http_port)
        scheme = "https" if secure else "http"
        return f"{scheme}://{host}{'' if port == usual else f':{port}'}/"

    def git_url(self, app: AppName) -> str:
        """What git pushes to: the scp form if the port is the default."""
        return f"{self.git_base}{app}"

    @property
    def git_base(self) -> str:
        """What the name of an app follows in it."""
        if self.ssh_port == 22:
            return f"{self.account}@{self.domain}:"
        return f"ssh://{self.account}@{self.domain}:{self.ssh_port}/"

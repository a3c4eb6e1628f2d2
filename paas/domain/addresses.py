"""Under which names the server and its apps are reached."""

from dataclasses import dataclass

from paas.domain.names import AppName


@dataclass(frozen=True, slots=True)
class Addresses:
    """domain: the server's own; apps are NAME.domain. Ports and account as in server.yml."""

    domain: str
    http_port: int
    ssh_port: int
    account: str

    def host(self, app: AppName) -> str:
        """The app's host name."""
        return f"{app}.{self.domain}"

    def url(self, app: AppName) -> str:
        """What a browser opens."""
        port = "" if self.http_port == 80 else f":{self.http_port}"
        return f"http://{self.host(app)}{port}/"

    def git_url(self, app: AppName) -> str:
        """What git pushes to: the scp form where the port is the usual one."""
        if self.ssh_port == 22:
            return f"{self.account}@{self.domain}:{app}"
        return f"ssh://{self.account}@{self.domain}:{self.ssh_port}/{app}"

"""Commit statuses, sent from the sandbox that fetches: with the app's uid and its network."""

from paas.adapters.builds.fetch_sandbox import FetchSandbox, Job, workspaces_of
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.domain.apps.apps import App
from paas.domain.git.credentials import FetchAccess, HostToken
from paas.domain.git.statuses import StatusRequest
from paas.settings import Settings


class SandboxStatuses:
    """`CommitStatuses` of interfaces."""

    def __init__(self, settings: Settings) -> None:
        self._sandbox = FetchSandbox(settings)
        self._cgroups = Cgroups(settings)

    def send(self, app: App, request: StatusRequest, token: HostToken) -> None:
        """Send it; see interfaces.CommitStatuses."""
        name = workspaces_of(app.id)[2]
        what = {
            "kind": "status",
            "url": request.url,
            "scheme": request.scheme,
            "fields": dict(request.fields),
        }
        with self._sandbox.workspace(app, name) as out:
            cgroups = self._cgroups.for_fetch(name)
            access = FetchAccess((token,))
            self._sandbox.run(
                Job(app, out, out, what, f"fetch-{name}", cgroups, None, access), _drop
            )


def _drop(_line: bytes) -> None:
    """It prints nothing for people."""

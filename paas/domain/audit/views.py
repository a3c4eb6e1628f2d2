"""Which events somebody asks for, and which of these they may see."""

from dataclasses import dataclass
from datetime import datetime

from paas.domain.audit.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What is asked for; None: no matter which. app: as it is named now, or was last."""

    app: str | None = None
    user: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The events that match a filter and may be seen.

    app_id: of the app that is asked for, if it exists. asker: a user who is no admin, and sees
    their own changes and those of the apps that they own. owned, visible: the ids of the apps that
    the asker owns, and of those that exist for them.
    """

    wanted: AuditFilter
    app_id: int | None = None
    asker: str | None = None
    owned: frozenset[int] = frozenset()
    visible: frozenset[int] = frozenset()

    def takes(self, event: Event) -> bool:
        """Whether the event is shown."""
        return self._matches(event) and (
            self.asker is None or event.user == self.asker or event.app_id in self.owned
        )

    def _matches(self, event: Event) -> bool:
        wanted = self.wanted
        if self.app_id is not None:
            matches = event.app_id == self.app_id
        else:
            matches = wanted.app is None or event.app == wanted.app
        return (
            matches
            and (wanted.user is None or event.user == wanted.user)
            and (wanted.since is None or event.at >= wanted.since)
        )

    def shown(self, event: Event) -> Event:
        """The event as the asker may see it: that an app exists, its id would say."""
        hidden = self.asker is not None and event.app_id not in self.visible
        return event.without_id() if hidden else event

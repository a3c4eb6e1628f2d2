"""An app keeps an owner: nobody goes who is the only one."""

from paas.domain.people.access import Holder
from paas.domain.values.errors import PaasError
from paas.store import Store

_NAMED = 3


def refuse_if_last(store: Store, holder: Holder) -> None:
    """Raises PaasError if a user or team is the only owner of an app."""
    apps = [app.name for app in store.apps.all() if app.owners == (holder,)]
    if not apps:
        return
    more = f" and {len(apps) - _NAMED} more" if len(apps) > _NAMED else ""
    raise PaasError(
        "last-owner",
        f"{holder} is the only owner of {', '.join(apps[:_NAMED])}{more}.",
        f"Give each another owner: paas apps:transfer {apps[0]} NAME; or remove it: "
        f"paas apps:destroy {apps[0]} --confirm {apps[0]}",
    )

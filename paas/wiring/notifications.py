"""What the process that sends notifications is made of."""

from paas.adapters.notifications.delivery import Mail
from paas.settings import Settings


def mail(settings: Settings) -> Mail | None:
    """The mail server in the settings; None: there is none."""
    return Mail(settings.smtp_url) if settings.smtp_url else None

"""A place for an archive that is to be built. No command does this: it reads a file itself."""

from paas.entrypoints.operations.call import Call


def create(call: Call) -> dict[str, object]:
    """The secret with which the archive is uploaded, and with which it is built then."""
    return {"secret": call.services.uploads.open(call.actor, call.origin).reveal()}

"""Which attachments change when a datastore becomes the first of its kind in an app."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from paas.domain.datastores.datastores import Attachment
from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.datastores.names import DatastoreName, new_names, refuse_taken, variable
from paas.domain.values.errors import PaasError


@dataclass(frozen=True, slots=True)
class Promotion:
    """What changes. names: those that the promoted datastore gets. removed, added: attachments.

    colored: those added for the former first one, which would otherwise have no name.
    """

    names: tuple[AttachmentName, ...]
    removed: tuple[Attachment, ...]
    added: tuple[Attachment, ...]
    colored: tuple[Attachment, ...]

    @property
    def words(self) -> str:
        """``DATABASE_URL and JAWSDB_URL are``."""
        shown = " and ".join(variable(name) for name in self.names)
        return f"{shown} {'are' if len(self.names) > 1 else 'is'}"


def promotion(
    chosen: Attachment,
    present: Sequence[Attachment],
    kinds: Mapping[DatastoreName, DatastoreKind],
    taken: Set[str],
) -> Promotion:
    """Give the first names of its kind, such as DATABASE, to the datastore of an attachment.

    present: all attachments of the app, and the kinds of their datastores. taken: see `new_names`.
    A name that belongs to another kind, or was set by hand, does not change. Raises PaasError if
    that is true of all names.
    """
    kind = kinds[chosen.datastore]
    holders = {one.name: one for one in present}
    names = [name for name in kind.traits.firsts if _is_free(name, kind, holders, kinds, taken)]
    if not names:
        raise _no_name(kind, holders, kinds, taken)
    removed = [
        holders[name]
        for name in names
        if name in holders and holders[name].datastore != chosen.datastore
    ]
    firsts = [
        replace(chosen, name=name)
        for name in names
        if name not in holders or holders[name] in removed
    ]
    colored: list[Attachment] = []
    used = {*taken, *names}
    for former in {one.datastore: one for one in removed}.values():
        stay = [one for one in present if one.datastore == former.datastore and not one.pooled]
        if all(one in removed for one in stay):
            color = new_names(kind, used, None)[-1]
            used.add(color)
            colored.append(replace(former, name=color))
    return Promotion(tuple(names), tuple(removed), (*firsts, *colored), tuple(colored))


def _is_free(
    name: AttachmentName,
    kind: DatastoreKind,
    holders: Mapping[AttachmentName, Attachment],
    kinds: Mapping[DatastoreName, DatastoreKind],
    taken: Set[str],
) -> bool:
    """Whether one of this kind may have the name."""
    if name in holders:
        return kinds[holders[name].datastore] is kind
    return name not in taken


def _no_name(
    kind: DatastoreKind,
    holders: Mapping[AttachmentName, Attachment],
    kinds: Mapping[DatastoreName, DatastoreKind],
    taken: Set[str],
) -> PaasError:
    first = kind.traits.firsts[0]
    if first not in holders:
        refuse_taken(first, taken)
    holder = holders[first].datastore
    return PaasError(
        "attachment-taken",
        f"{variable(first)} is the URL of {holder}, which is {kinds[holder].traits.product}.",
        f"Detach it first: paas addons:detach {first}",
    )

"""How the commands for dumps describe each kind of datastore, and the arguments they share."""

from dataclasses import dataclass

import click

from paas.domain.datastores.kinds import DatastoreKind

NAME = click.argument("datastore", required=False, metavar="[NAME]")
CONFIRM_NAME = click.option("--confirm", metavar="NAME", help="The datastore's name, to confirm.")


@dataclass(frozen=True, slots=True)
class Wording:
    """The words in the help of a kind's commands.

    one: what its users call a datastore of it. kept: the form of its backups, whose files end with
    kept_end. printed, printed_end: the form of its exports. taken: the forms that can be imported.
    """

    kind: DatastoreKind
    one: str
    kept: str
    kept_end: str
    printed: str
    printed_end: str
    taken: str

    @property
    def prefix(self) -> str:
        """The beginning of its commands."""
        return self.kind.traits.prefix

    @property
    def title(self) -> str:
        """The heading of their column."""
        return self.one[0].upper() + self.one[1:]


WORDINGS = (
    Wording(
        kind=DatastoreKind.POSTGRESQL,
        one="database",
        kept="in PostgreSQL's custom format, for pg_restore",
        kept_end=".dump",
        printed="in PostgreSQL's custom format",
        printed_end=".dump",
        taken="in PostgreSQL's custom or tar format or plain SQL, optionally in gzip or zstd",
    ),
    Wording(
        kind=DatastoreKind.MYSQL,
        one="MariaDB",
        kept="as SQL compressed by gzip",
        kept_end=".sql.gz",
        printed="as SQL",
        printed_end=".sql",
        taken="SQL by mysqldump or mariadb-dump, optionally in gzip or zstd",
    ),
    Wording(
        kind=DatastoreKind.REDIS,
        one="Redis",
        kept="as an RDB file",
        kept_end=".rdb",
        printed="as an RDB file",
        printed_end=".rdb",
        taken="an RDB file, optionally in gzip or zstd",
    ),
)

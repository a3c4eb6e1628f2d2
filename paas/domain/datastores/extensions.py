"""Extensions of PostgreSQL: who may create which, and which package contains each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Maker(StrEnum):
    """Who may create an extension.

    APP: the app itself, by CREATE EXTENSION. PLATFORM: this server on request, as the superuser.
    NOBODY: it would give the app access to more than its own database.
    """

    APP = "app"
    PLATFORM = "platform"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension that a server offers.

    installed: its version in the database; None if it is not there. free: whether it can be created
    without being the superuser.
    """

    name: str
    version: str
    installed: str | None
    free: bool
    comment: str

    @property
    def maker(self) -> Maker:
        """Who may create it."""
        if self.free:
            return Maker.APP
        return Maker.PLATFORM if self.name in HARMLESS else Maker.NOBODY

    @property
    def refusal(self) -> str:
        """Why nobody may create it."""
        return _REFUSALS.get(self.name, "it needs the superuser, and is not known to be harmless")


# These need the superuser and harm nobody; Heroku's and Amazon's dumps name them.
HARMLESS = frozenset(
    {
        *("address_standardizer", "address_standardizer_data_us", "amcheck", "pg_buffercache"),
        *("pg_freespacemap", "pg_prewarm", "pg_stat_statements", "pgrowlocks", "pgstattuple"),
        *("postgis", "postgis_raster", "postgis_sfcgal", "postgis_tiger_geocoder"),
        *("postgis_topology", "sslinfo", "vector"),
    }
)
_UNTRUSTED = "its functions can run any program with the server's rights"
_REFUSALS: Mapping[str, str] = {
    "adminpack": "it writes files of the server",
    "dblink": "it opens connections from the server to other machines",
    "earthdistance": "it calls other roles' functions with the superuser's rights",
    "file_fdw": "it reads files of the server",
    "pageinspect": "it reads all pages, including those of other roles",
    "pg_surgery": "it changes rows without any checks",
    "pg_walinspect": "it reads what all roles have written",
    "plperlu": _UNTRUSTED,
    "plpython3u": _UNTRUSTED,
    "pltclu": _UNTRUSTED,
    "postgres_fdw": "it opens connections from the server to other machines",
}
# The packages with extensions that PostgreSQL's own does not bring; %s: the major version.
_PACKAGES: Mapping[str, str] = {
    "address_standardizer": "postgresql-%s-postgis-3",
    "plperl": "postgresql-plperl-%s",
    "pltcl": "postgresql-pltcl-%s",
    "postgis": "postgresql-%s-postgis-3",
    "postgis_raster": "postgresql-%s-postgis-3",
    "postgis_sfcgal": "postgresql-%s-postgis-3",
    "postgis_tiger_geocoder": "postgresql-%s-postgis-3",
    "postgis_topology": "postgresql-%s-postgis-3",
    "vector": "postgresql-%s-pgvector",
}


def package_with(name: str, version: str) -> str | None:
    """Debian's package with an extension for a major version, as far as it is known."""
    found = _PACKAGES.get(name)
    return found % version if found is not None else None

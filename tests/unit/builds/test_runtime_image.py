"""What the runtime image is made of, and who may have it made."""

from datetime import UTC, datetime

import pytest

from paas.domain.builds.runtime_image import RuntimeImage, libraries, origin, runtime_name
from paas.domain.releases.artifacts import DOCKER
from paas.domain.values.errors import PaasError
from tests.fakes.world import ROOT, World

SOURCES = (
    "# deb http://old.example/debian bookworm main",
    "deb https://nginx.example/debian bookworm nginx",
    "deb-src http://deb.debian.org/debian bookworm main",
    "deb cdrom:[Debian 12]/ bookworm main",
    "deb http://me:secret@deb.debian.org/debian bookworm main",
    "deb [arch=amd64 signed-by=/usr/share/keyrings/d.gpg] http://deb.debian.org/debian "
    "bookworm main contrib",
    "deb http://deb.debian.org/debian-security bookworm-security main",
    "deb https://apt.example/ bookworm-pgdg main",
)


def test_where_the_distribution_comes_from() -> None:
    """From its own source and its updates; others' packages are not its own."""
    found = origin("bookworm", SOURCES)
    assert (found.mirror, found.components) == ("http://deb.debian.org/debian", ("main", "contrib"))
    assert found.keyring == "/usr/share/keyrings/d.gpg"
    assert found.lines == (SOURCES[5], SOURCES[6])
    with pytest.raises(PaasError, match="No apt source has the distribution trixie"):
        origin("trixie", SOURCES)


def test_libraries_to_which_builds_link() -> None:
    """Those that installed development packages need, if they are installed."""
    installed = (
        "installed\tlibpq-dev\tlibdevel\tlibpq5 (= 15.9), libssl-dev, libgl-dev\n"
        "installed\tlibgl-dev\tlibs\t\n"
        "installed\tlibpq5\tlibs\tlibc6\n"
        "installed\tlibmagic1\tlibs\tlibc6\n"
        "installed\tlibxml2-dev\tuniverse/libdevel\tlibxml2 (= 2), libicu-dev | libother, gone\n"
        "installed\tlibxml2\tuniverse/libs\t\n"
        "config-files\tlibcurl4-dev\tlibdevel\tlibcurl4\n"
        "installed\tlibcurl4\tlibs\t\n"
        "installed\tlibssl-dev\tlibdevel\t\n"
    )
    assert libraries(installed) == {"libpq5", "libxml2"}


def test_when_it_is_old() -> None:
    """By days; its name says when it was made."""
    made_at = datetime(2026, 11, 1, tzinfo=UTC)
    image = RuntimeImage("sha256:x", runtime_name("bookworm", made_at), made_at, 1)
    assert image.name == "paas-runtime:bookworm-20261101"
    assert not image.is_old(datetime(2026, 12, 1, tzinfo=UTC), 30)
    assert image.is_old(datetime(2026, 12, 2, tzinfo=UTC), 30)
    assert not image.is_old(datetime(2028, 12, 2, tzinfo=UTC), 0)


def test_admins_have_it_made(world: World) -> None:
    """On a server that has Docker; others may not even see it."""
    with pytest.raises(PaasError, match="has no Docker"):
        world.runtime_images.look(ROOT)
    world.by_name[DOCKER] = world.by_name["native"]
    assert world.runtime_images.look(ROOT) is None
    made = world.runtime_images.renew(ROOT, world.progress)
    assert world.runtime_images.look(ROOT) == made
    with pytest.raises(PaasError, match="admin"):
        world.runtime_images.renew(world.user("alice"), world.progress)

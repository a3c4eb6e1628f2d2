"""The image from which the tests of builds start, made of the machine's own programs."""

from paas.adapters.docker.connection import docker_client
from paas.settings import Settings
from tests.docker_engine import root_file_system

PROGRAMS = ("/bin/sh", "/bin/cat", "/bin/ls", "/bin/sleep", "/usr/bin/id")
BASE = "base:test"


def import_base(settings: Settings) -> None:
    """Import it under the name BASE."""
    with docker_client(settings) as client:
        client.api.import_image_from_data(root_file_system(PROGRAMS), repository="base", tag="test")

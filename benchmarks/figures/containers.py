"""All figures of apps in containers, in the order in which they are measured."""

from benchmarks.figures.containers_disk import ContainersDisk
from benchmarks.figures.containers_memory import ContainersMemory
from benchmarks.figures.containers_push import ContainersPush
from benchmarks.figures.containers_redeploys import ContainersRedeploys
from benchmarks.figures.containers_requests import ContainersRequests

FIGURES = (
    ContainersPush(),
    ContainersRequests(),
    ContainersMemory(),
    ContainersRedeploys(),
    ContainersDisk(),
)

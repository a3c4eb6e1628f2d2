"""Requests a second to a container, and their latency, hello-world."""

from benchmarks import wrk
from benchmarks.bench import Bench
from benchmarks.containers.app import PORT
from benchmarks.figures.throughput import beside, p99_row, rate_row
from benchmarks.plain.nginx import PlainNginx
from benchmarks.rows import Row


class ContainersRequests:
    """Against a hand-written Nginx before a container of the same image, started by hand."""

    name = "containers-requests"

    def measure(self, bench: Bench) -> list[Row]:
        """Short runs, alternating."""
        wrk.ensure_installed()
        containers = bench.containers
        assert containers.live
        containers.server.settle(1)
        plain = containers.by_hand
        nginx = PlainNginx(bench.folder("nginx"), PORT, plain.address)
        plain.build()
        plain.start()
        try:
            with nginx.start():
                found = beside(bench, containers.server, nginx.port)
        finally:
            plain.stop()
            plain.forget()
        title = "requests/s to a container, hello-world, 32 connections"
        return [
            rate_row(self.name, title, found),
            p99_row("containers-p99", "p99 of these requests", found),
        ]

"""Creates many small apps on the server, through the platform's own store, runtime and proxy.

Runs in the server's own Python. ``crowd.py ETC add COUNT`` or ``crowd.py ETC remove``. Each app has
what a push creates: a row in the store, a slug, a release, an instance under supervisord, a site.
Only git, the build and the separate reload for each are left out.
"""

import json
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

from paas.adapters.builds.slugs import FileSlugs
from paas.adapters.network.ports import LocalPorts
from paas.domain.apps.apps import App
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.releases import Instance, Slug
from paas.domain.routing.sites import Site
from paas.domain.server.allocations import Kind
from paas.domain.values.names import AppName, ProcessType
from paas.settings import load
from paas.wiring.adapters import server_adapters
from paas.wiring.services import Services, all_services

WEB = ProcessType("web")
PREFIX = "crowd-"
# The smallest possible web process on any Debian, where perl is essential. GET /loud/RATE/SECONDS
# makes it log so many lines of 100 bytes a second; it answers with the count and the longest write.
SERVE = r"""use strict; use IO::Socket::INET;
sub now { open my $file, "<", "/proc/uptime"; my ($seconds) = split / /, <$file>; $seconds }
sub loud {
    my ($rate, $seconds) = @_;
    my ($begun, $sent, $longest) = (now(), 0, 0);
    while ((my $passed = now() - $begun) <= $seconds) {
        my $block = "";
        while ($sent < $rate * $passed) { $block .= sprintf("%08d %s\n", $sent++, "x" x 90) }
        my $before = now();
        while (length $block) { substr($block, 0, syswrite(STDOUT, $block)) = "" }
        my $took = now() - $before;
        $longest = $took if $took > $longest;
        select(undef, undef, undef, 0.01);
    }
    "$sent $longest"
}
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ENV{PORT},
    Listen => 16, ReuseAddr => 1) or die "listen: $!";
$SIG{TERM} = sub { exit 0 };
while (my $client = $listener->accept) {
    my $text = "hi";
    while (my $line = <$client>) {
        $text = loud($1, $2) if $line =~ m{^GET /loud/(\d+)/(\d+) };
        last if $line =~ /^\r?\n/;
    }
    my $size = 1 + length $text;
    print $client "HTTP/1.1 200 OK\r\nContent-Length: $size\r\nConnection: close\r\n\r\n$text\n";
    close $client;
}
"""
COMMAND = "exec perl /app/serve.pl"


def add(services: Services, count: int) -> None:
    """Create that many more apps, and reload the proxy once."""
    present = len(_crowd(services))
    apps = [_app(services, number) for number in range(present + 1, present + count + 1)]
    taken = services.store.allocations.taken(Kind.PORT)
    ports = LocalPorts(services.settings).free(taken, count)
    started = [_start(services, app, port) for app, port in zip(apps, ports, strict=True)]
    _publish(services)
    for instance in started:
        _fetch(instance)


def _app(services: Services, number: int) -> App:
    name = AppName(f"{PREFIX}{number}")
    app = services.store.apps.add(name, None, datetime.now(UTC))
    slug_id = f"{app.id}-crowd"
    slugs = FileSlugs(services.settings.paths, min_free_mib=0)
    tree = slugs.new_build(slug_id, app.uid)
    (tree / "serve.pl").write_text(SERVE)
    size_bytes = slugs.freeze(slug_id)
    now = datetime.now(UTC)
    slug = Slug(slug_id, app.id, "0" * 40, {WEB: COMMAND}, size_bytes, now)
    services.store.slugs.add(slug)
    return app


def _start(services: Services, app: App, port: int) -> Instance:
    store = services.store
    now = datetime.now(UTC)
    slug_id = f"{app.id}-crowd"
    release = store.releases.add(
        app.id, slug_id=slug_id, config={}, description="Crowd", user="root", now=now
    )
    instance = Instance(app.id, release.version, store.instances.next_rollout_id(), WEB, 1, port)
    store.instances.add([instance])
    artifact = Artifact(services.settings.paths.slugs / slug_id)
    runtime = services.engines.of(app).runtime
    runtime.start(runtime.workloads(app, [instance], artifact, {}, {WEB: COMMAND}))
    store.releases.make_current(app.id, release.version, instance.rollout_id)
    return instance


def _publish(services: Services) -> None:
    """Have the proxy serve every app that is live."""
    sites = []
    for app in services.store.apps.all():
        instances = services.store.instances.of_app(app.id)
        live = [i for i in instances if i.rollout_id == app.rollout_id]
        host = services.addresses.host(app.name)
        if app.current is not None:
            sites.append(Site(app.id, (host,), tuple(i.endpoint for i in live if i.endpoint)))
    services.proxy.restore(sites)
    services.proxy.drain(30)


def _fetch(instance: Instance) -> None:
    """Check that it answers."""
    for attempt in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{instance.port}/", timeout=5) as answer:
                assert answer.read() == b"hi\n"
                return
        except OSError:
            if attempt == 199:
                raise
            time.sleep(0.05)


def remove(services: Services) -> None:
    """Remove them all: sites, instances, then everything else of each app."""
    crowd = _crowd(services)
    instances = [i for app in crowd for i in services.store.instances.of_app(app.id)]
    for app in crowd:
        services.store.apps.remove(app.id)
    _publish(services)
    for engine in services.engines.all():
        engine.runtime.stop(instances, 10)
    services.store.instances.remove(instances)
    slugs = FileSlugs(services.settings.paths, min_free_mib=0)
    for app in crowd:
        slugs.remove(f"{app.id}-crowd")
        services.logs.remove(app.id)


def _crowd(services: Services) -> list[App]:
    return [app for app in services.store.apps.all() if app.name.startswith(PREFIX)]


def main(argv: list[str]) -> None:
    """Run the command; print the number of crowd apps."""
    services = all_services(server_adapters(load(Path(argv[0]) / "server.yml")))
    if argv[1] == "add":
        add(services, int(argv[2]))
    else:
        remove(services)
    print(json.dumps({"crowd": len(_crowd(services))}))


if __name__ == "__main__":
    main(sys.argv[1:])

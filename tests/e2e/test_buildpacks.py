"""Apps in other languages than Python, and with several buildpacks, on a real server."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.e2e.server import EXAMPLES, Repository, Server, User, run

# Runs on any machine, with nothing to install.
PERL = """use IO::Socket::INET;
my $server = IO::Socket::INET->new(
    LocalAddr => "127.0.0.1", LocalPort => $ENV{PORT}, Listen => 64, ReuseAddr => 1) or die;
while (my $client = $server->accept) {
    while (my $line = <$client>) { last if $line eq "\\r\\n" }
    print $client "HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 4\\r\\n\\r\\nperl";
    close $client;
}
"""
Make = Callable[..., Repository]


def test_a_node_app(server: Server, alice: User, repository: Make) -> None:
    """npm's packages, a build script, npm start; the second push takes the packages kept."""
    app = repository(EXAMPLES / "node-hello")
    said = alice.push(app, "node-app").stdout
    assert "Node.js app detected" in said
    assert "Running the script build" in said
    answer = server.get("node-app").text
    assert answer.startswith("Hello from Node.js v")
    assert "an hour is 3600000 ms, built: true" in answer
    app.commit({"more.txt": "x"})
    assert "Using the packages of the last build" in alice.push(app, "node-app").stdout


def test_a_folder_of_html(server: Server, alice: User, repository: Make) -> None:
    """Nginx serves it without a process; hidden files and links do not get out."""
    app = repository(EXAMPLES / "html-hello")
    (app.path / "shadow.html").symlink_to("/etc/passwd")
    (app.path / "out").symlink_to("/etc")
    app.commit({".env": "SECRET=1", "about.html": "About us", "sub/index.html": "Below"})
    said = alice.push(app, "html-app").stdout
    assert "Nginx serves the files" in said
    page = server.get("html-app")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "Hello from a folder of HTML" in page.text
    assert server.get("html-app", "/style.css").headers["content-type"].startswith("text/css")
    assert server.get("html-app", "/about").text == "About us"
    assert server.get("html-app", "/sub/").text == "Below"
    for path in ("/nothing", "/.env", "/.git/config", "/.profile.d/x.sh", "/shadow.html"):
        missing = server.get("html-app", path)
        assert (missing.status, "No such page here" in missing.text) == (404, True), path
    assert server.get("html-app", "/out/passwd").status == 404
    assert alice.ssh("ps", "-a", "html-app", "--json").stdout.strip() in {"[]", ""}
    app.commit({"index.html": "second"})
    alice.push(app, "html-app")
    assert server.get("html-app").text == "second"


def test_a_folder_that_routes_in_the_browser(server: Server, alice: User, repository: Make) -> None:
    """static.json names the folder and the page that answers every address."""
    settings = json.dumps({"root": "dist", "routes": {"/**": "index.html"}})
    files = {"static.json": settings, "dist/index.html": "app", "dist/a.js": "1"}
    alice.push(repository(files), "spa-app")
    assert server.get("spa-app", "/some/deep/address").text == "app"
    assert server.get("spa-app", "/a.js").text == "1"
    assert server.get("spa-app", "/static.json").text == "app"
    assert "serves this app's files" in alice.ssh("ps -a spa-app").stderr


def test_granian_instead_of_gunicorn(server: Server, alice: User, repository: Make) -> None:
    """WSGI_SERVER=granian starts the app that was found with Granian, and goes back without."""
    program = (
        "def hello(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return [environ['SERVER_SOFTWARE'].encode() or b'none']\n"
        "app = hello\n"
    )
    app = repository({"requirements.txt": "", "app.py": program})
    alice.push(app, "granian-app")
    assert "gunicorn" in server.get("granian-app").text.lower()
    alice.ssh("config:set", "-a", "granian-app", "WSGI_SERVER=granian")
    app.commit({"more": "x"})
    alice.push(app, "granian-app")
    assert "granian" in server.get("granian-app").text.lower()


def test_a_procfile_alone(server: Server, alice: User, repository: Make) -> None:
    """Anything executable runs."""
    app = repository({"Procfile": "web: exec perl serve.pl\n", "serve.pl": PERL})
    assert "Procfile app detected" in alice.push(app, "perl-app").stdout
    assert server.get("perl-app").text == "perl"


def test_several_buildpacks(server: Server, alice: User, repository: Make, tmp_path: Path) -> None:
    """One of another's, from a directory, before Procfile: env, cache, export and .profile.d."""
    pack = tmp_path / "pack"
    (pack / "bin").mkdir(parents=True)
    tmp_path.chmod(0o755)
    (pack / "bin/detect").write_text("#!/bin/sh\necho Greeter\n")
    (pack / "bin/compile").write_text(
        '#!/bin/bash\nset -e\nmkdir -p "$1/.profile.d"\n'
        'echo "export GREETED=$(cat "$3/WHO") RUNS=$(( $(cat "$2/runs" || echo 0) + 1 ))" '
        '> "$1/.profile.d/greeter.sh"\necho 1 > "$2/runs"\n'
        'echo "web: exec perl serve.pl # $STACK" > "$1/Procfile"\n'
    )
    (pack / "bin/release").write_text('#!/bin/sh\necho "config_vars: {COLOUR: teal}"\n')
    for script in (pack / "bin").iterdir():
        script.chmod(0o755)
    said = alice.ssh("apps:create", "several")
    refused = alice.ssh("buildpacks:add", str(pack), "-a", "several", check=False)
    assert (refused.returncode, "Only an admin" in refused.stderr) == (1, True), said
    server.paas("buildpacks:add", str(pack), "-a", "several")
    alice.ssh("buildpacks:add", "several", "procfile")
    listed = alice.ssh("buildpacks", "-a", "several").stdout
    assert listed == f"1. {pack}\n2. procfile\n"
    assert json.loads(alice.ssh("buildpacks", "-a", "several", "--json").stdout) == [
        str(pack),
        "procfile",
    ]
    alice.ssh("config:set", "-a", "several", "WHO=world")
    serve = PERL.replace("4\\r\\n\\r\\nperl", "7\\r\\n\\r\\n$ENV{GREETED}$ENV{RUNS}!")
    app = repository({"serve.pl": serve, "greeting": "x"})
    assert "Greeter app detected" in alice.push(app, "several").stdout
    assert server.get("several").text == "world1!"
    assert alice.ssh("config:get", "several", "COLOUR").stdout == "teal\n"
    app.commit({"more": "x"})
    alice.push(app, "several")
    assert server.get("several").text == "world2!"
    alice.ssh("buildpacks:remove", "-a", "several", "-i", "1")
    app.commit({"more": "y"})
    failed = alice.push(app, "several", check=False)
    assert "The buildpack procfile does not accept the app" in failed.stdout
    assert server.get("several").text == "world2!"
    alice.ssh("buildpacks:clear", "several")
    assert alice.ssh("buildpacks", "several").stdout == ""
    named = {"buildpacks": [{"url": "heroku/procfile"}]}
    # By requirements.txt alone it would be taken for Python.
    files = {"app.json": json.dumps(named), "Procfile": "web: exec perl serve.pl\n"}
    app.commit({**files, "requirements.txt": "", "serve.pl": PERL})
    told = alice.push(app, "several").stdout
    assert "Using the buildpacks of app.json: heroku/procfile" in told
    assert "Procfile app detected" in told
    assert "app.json names heroku/procfile" in alice.ssh("buildpacks", "several").stderr
    named["buildpacks"].append({"url": "ftp://example.com/pack"})
    app.commit({"app.json": json.dumps(named)})
    failed = alice.push(app, "several", check=False)
    assert "app.json, line 1, column 53: buildpacks[1].url must be one of" in failed.stdout
    assert server.get("several").text == "perl"


def test_a_folder_of_a_monorepo(server: Server, alice: User, repository: Make) -> None:
    """builder:set build-dir: only that folder is the app."""
    app = repository(
        {
            "index.html": "the whole",
            "services/web/index.html": "the part",
            "services/link": "x",
        }
    )
    alice.push(app, "mono-app")
    assert server.get("mono-app").text == "the whole"
    alice.ssh("builder:set", "mono-app", "build-dir", "services/web")
    app.commit({"x": "x"})
    alice.push(app, "mono-app")
    assert server.get("mono-app").text == "the part"
    alice.ssh("builder:set", "mono-app", "build-dir", "services/link")
    app.commit({"x": "y"})
    failed = alice.push(app, "mono-app", check=False)
    assert "The commit has no folder services/link" in failed.stdout
    assert server.get("mono-app").text == "the part"


def test_node_is_there() -> None:
    """These tests need Node.js and npm (Debian: nodejs, npm)."""
    assert run(["node", "--version"]).stdout.startswith("v")
    assert run(["npm", "--version"]).stdout

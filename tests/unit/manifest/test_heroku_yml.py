"""heroku.yml: what is used of it, and what is refused by name."""

import pytest

from paas.domain.manifest.heroku_yml import parse_heroku_yml
from paas.domain.values.errors import PaasError


def test_a_whole_one() -> None:
    """Heroku's example: one image, build arguments, commands in both forms."""
    found = parse_heroku_yml(
        {
            "build": {
                "docker": {"web": "deploy/Dockerfile", "worker": "deploy/Dockerfile"},
                "config": {"RAILS_ENV": "production", "JOBS": 4},
            },
            "release": {"image": "web", "command": ["./migrate", "./seed"]},
            "run": {"web": "bundle exec puma", "worker": {"command": ["sidekiq"], "image": "web"}},
        }
    )
    assert (found.dockerfile, found.target) == ("deploy/Dockerfile", None)
    assert found.args == {"RAILS_ENV": "production", "JOBS": "4"}
    assert found.processes == {
        "web": "bundle exec puma",
        "worker": "sidekiq",
        "release": "./migrate && ./seed",
    }
    assert found.warnings == ()


def test_a_stage() -> None:
    """A mapping names the Dockerfile and the stage to build."""
    found = parse_heroku_yml({"build": {"docker": {"web": {"target": "production"}}}})
    assert (found.dockerfile, found.target) == ("Dockerfile", "production")


@pytest.mark.parametrize("value", [None, {}, {"run": None}, {"build": {"docker": None}}])
def test_an_empty_one(value: object) -> None:
    """A file that names no Dockerfile says nothing about the builder."""
    found = parse_heroku_yml(value)
    assert (found.dockerfile, found.processes) == (None, {})


def test_what_means_nothing_is_told() -> None:
    """Options of docker run, such as the host's network, are ignored with a warning."""
    network = {"network": "host"}
    found = parse_heroku_yml(
        {
            **network,
            "build": {**network, "docker": {"web": {"dockerfile": "Dockerfile", **network}}},
            "run": {"web": {"command": ["x"], "privileged": True}},
            "release": {"command": ["y"], "cap_add": ["ALL"]},
        }
    )
    assert found.processes == {"web": "x", "release": "y"}
    ignored = ("network", "build.network", "release.cap_add")
    assert found.warnings == tuple(
        f"heroku.yml: '{name}' means nothing here and is ignored."
        for name in (*ignored, "build.docker.web.network", "run.web.privileged")
    )


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "the file must be a mapping"),
        ("x", "the file must be a mapping"),
        ({"build": "x"}, "build must be a mapping"),
        ({"build": {"docker": {"web": "Dockerfile", "worker": "w/Dockerfile"}}}, "names 2 images"),
        ({"build": {"docker": {"web": "../Dockerfile"}}}, "build.docker.web: .* not the path"),
        ({"build": {"docker": {"web": {"target": "--network=host"}}}}, "not the name of a stage"),
        ({"build": {"docker": {"../x": "Dockerfile"}}}, "is not a process type"),
        ({"build": {"docker": {"web": ["x"]}}}, "build.docker.web must be a mapping"),
        ({"build": {"config": {"A-B": "x"}}}, "build.config.A-B: .* not a config var"),
        ({"build": {"config": {"A": {"b": 1}}}}, "build.config.A must be a text"),
        ({"build": {"config": {"A": "\0"}}}, "contains a NUL"),
        ({"build": {"config": {f"A{n}": "x" for n in range(101)}}}, "more than 100"),
        ({"run": {"web": {"command": [["x"]]}}}, "run.web.command must be a text"),
        ({"run": {"web": "x" * 20_000}}, "run.web is longer"),
        ({"run": {"../x": "y"}}, "is not a process type"),
        ({"run": True}, "run must be a mapping"),
    ],
)
def test_what_is_refused(value: object, why: str) -> None:
    """The message names the key."""
    with pytest.raises(PaasError, match=why) as caught:
        parse_heroku_yml(value)
    assert caught.value.message.startswith("heroku.yml: ")

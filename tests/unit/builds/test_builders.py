"""How a builder is chosen, and what users may name: Dockerfiles, stages, builders."""

import pytest

from paas.domain.builds.builders import (
    BuilderName,
    BuilderSettings,
    builder_name,
    chosen,
    dockerfile_path,
    refuse_endless,
    stage_name,
)
from paas.domain.values.errors import PaasError


@pytest.mark.parametrize(
    ("in_heroku_yml", "has_dockerfile", "has_buildpacks", "expected"),
    [
        (True, True, False, BuilderName.DOCKERFILE),
        (True, True, True, BuilderName.BUILDPACKS),
        (False, True, True, BuilderName.BUILDPACKS),
        (False, True, False, BuilderName.AUTO),
        (False, False, False, BuilderName.BUILDPACKS),
    ],
)
def test_a_builder_is_found_in_what_is_pushed(
    in_heroku_yml: bool, has_dockerfile: bool, has_buildpacks: bool, expected: BuilderName
) -> None:
    """heroku.yml counts first, a bare Dockerfile last: many of them are for development."""
    found = chosen(
        BuilderSettings(),
        in_heroku_yml=in_heroku_yml,
        has_dockerfile=has_dockerfile,
        has_buildpacks=has_buildpacks,
    )
    assert found is expected


def test_what_was_set_by_hand_counts() -> None:
    """builder:set decides, whatever is in the commit."""
    for builder in (BuilderName.BUILDPACKS, BuilderName.DOCKERFILE):
        settings = BuilderSettings(builder)
        for found in (True, False):
            assert (
                chosen(
                    settings, in_heroku_yml=found, has_dockerfile=found, has_buildpacks=not found
                )
                is builder
            )


def test_builders_have_names() -> None:
    """An unknown one is refused with the list of those there are."""
    assert builder_name("dockerfile") is BuilderName.DOCKERFILE
    with pytest.raises(PaasError, match="auto, buildpacks, dockerfile"):
        builder_name("nixpacks")


@pytest.mark.parametrize("path", ["Dockerfile", "deploy/Dockerfile.web", ".docker/prod"])
def test_paths_of_dockerfiles(path: str) -> None:
    """A path below the app's folder is taken as it is."""
    assert dockerfile_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "-f", "/etc/shadow", "../Dockerfile", "a/../b", "a/-b", "a//b", "a\nb", "./x", "a" * 201],
)
def test_paths_that_are_refused(path: str) -> None:
    """What leads out of the folder, or would be read as an option, is refused."""
    with pytest.raises(PaasError, match="is not the path of a Dockerfile"):
        dockerfile_path(path)


@pytest.mark.parametrize("name", ["", "-x", "a b", "a\n", "$(id)", "a" * 101])
def test_names_of_stages_that_are_refused(name: str) -> None:
    """A stage's name is a word."""
    with pytest.raises(PaasError, match="is not the name of a stage"):
        stage_name(name)
    assert stage_name("production") == "production"


@pytest.mark.parametrize(
    "lines",
    [
        "RUN true\n" * 10_000,
        "FROM x\n" * 501,
        "  env A=b\r\n" * 501,
        "RU\\\nN true\n" * 501,
        "RU\\\n # a\n\nN true\n" * 501,
        "# escape=`\nFROM x\n" + "EN`\nV A=b\n" * 501,
    ],
)
def test_a_dockerfile_without_end_is_refused(lines: str) -> None:
    """However its instructions are written."""
    with pytest.raises(PaasError, match="instructions; the limit is 500"):
        refuse_endless(lines.encode())


def test_a_long_dockerfile_is_taken() -> None:
    """What belongs to one instruction counts as one."""
    long = b"RUN a \\\n" + b" && b \\\n" * 900 + b" c\n"
    refuse_endless(b"FROM x\n" + b"RUN true\n" * 400 + long)
    refuse_endless(b"\xff\x00" * 10_000)

"""Runs the script of a buildpack that each instance sources before its command."""

import subprocess

from tests.unit.buildpacks.buildpack_scripts import BUILDPACKS


def environment_after(buildpack: str, **env: str) -> dict[str, str]:
    """The environment after the script of ``node`` or ``python``; nothing in it may fail."""
    profile = BUILDPACKS / buildpack / "lib/profile.sh"
    done = subprocess.run(
        ["/bin/bash", "-c", f'set -e; . "{profile}"; /usr/bin/env -0'],
        env={"PATH": "/usr/bin:/bin", **env},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return dict(pair.split("=", 1) for pair in done.stdout.split("\0") if pair)

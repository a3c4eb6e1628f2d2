"""Why no image was built, from BuildKit's output and the state of the server."""

import re
import shutil

from paas.adapters.builds.output import BuildOutput
from paas.adapters.system.disk_faults import BARE_INODES, lacks_inodes
from paas.domain.builds.buildkit import BuildKitLines, failed_step
from paas.domain.values.errors import PaasError, disk_full
from paas.settings import Settings

_SAID = "The lines above say why."
_NOT_FETCHED = (
    "The server must reach the registry that FROM, or a line # syntax=, names. For one without the "
    "internet: paas git:load-image < image.tar"
)
# What BuildKit says, and what to do; the first that fits.
_HINTS = (
    (
        re.compile(r"pull access denied|authorization failed|unauthorized|401 Unauthorized|denied"),
        "Correct the image's name; if it is private: paas registry:login HOST USER < token.txt",
    ),
    (
        re.compile(r"no such host|connection refused|i/o timeout|failed to do request|dial tcp"),
        _NOT_FETCHED,
    ),
    (re.compile(r"not found$"), "Commit the file, and check whether .dockerignore excludes it."),
    (
        re.compile(r"target stage .* could not be found"),
        "Correct it: paas builder:set docker-target STAGE; without STAGE it is the last one.",
    ),
    (re.compile(r"max depth exceeded"), "Merge steps of the Dockerfile: RUN a && b is one layer."),
)


def image_failure(settings: Settings, lines: BuildKitLines, output: BuildOutput) -> PaasError:
    """The error for a build that failed."""
    if "no space left on device" in lines.reason.lower():
        output.disk_is_full = True
    if output.disk_is_full and lacks_inodes(settings.state, BARE_INODES):
        return disk_full(no_inodes=True)
    if output.disk_is_full and shutil.disk_usage(settings.state).free < 8 * 1024**2:
        return disk_full()
    hint = next((hint for said, hint in _HINTS if said.search(lines.reason)), _SAID)
    return PaasError("build-failed", failed_step(lines), hint)

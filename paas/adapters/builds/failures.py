"""Why a build failed: from its exit status, its output, and the state of the server."""

import shutil

from paas.adapters.builds.output import BuildOutput
from paas.adapters.system.disk_faults import BARE_INODES, lacks_inodes
from paas.domain.values.errors import NoBuildpackError, PaasError, disk_full
from paas.domain.values.exits import exit_words
from paas.domain.values.memory import killed_for_memory
from paas.settings import Settings

EXIT_NOT_DETECTED = 100
EXIT_NOT_LAUNCHED = 70
EXIT_HELD = 71


def build_failure(
    settings: Settings, status: int, output: BuildOutput, memory_mib: int
) -> PaasError:
    """What to report. status: the sandbox's exit status; negative: a signal.

    memory_mib: the limit, if there was one.
    """
    if status == EXIT_NOT_DETECTED and output.reason:
        return NoBuildpackError("no-buildpack", output.reason, output.advice)
    if output.disk_is_full and lacks_inodes(settings.state, BARE_INODES):
        return disk_full(no_inodes=True)
    if output.disk_is_full and shutil.disk_usage(settings.state).free < 8 * 1024**2:
        return disk_full()
    if status == EXIT_NOT_LAUNCHED and output.last.startswith("paas-launch:"):
        return PaasError(
            "build-sandbox",
            f"The build could not be started: {output.last}",
            "This is an error of the server; its administrator can find more with: paas "
            "server:status",
        )
    if status == EXIT_HELD and output.last.startswith("paas-launch:"):
        return PaasError(
            "build-held",
            "After the build ended, a process outside it still had one of its files open for "
            "writing, and could have changed what goes live.",
            "A live instance got the open file from the build: make sure that the build passes "
            "on no file descriptors.",
        )
    if output.memory_kills:
        return build_out_of_memory(memory_mib)
    if output.reason:
        return PaasError("build-failed", output.reason, output.advice or None)
    reason = f"The build {'was ' if status < 0 else ''}{exit_words(status)}."
    return PaasError("build-failed", reason, "The lines above say why.")


def build_out_of_memory(limit_mib: int, *, is_shared: bool = False) -> PaasError:
    """limit_mib: 0 if there is none. is_shared: with other builds that run at once."""
    hint = "Let fewer builds run at once (max_builds), or give the server more memory or swap."
    if limit_mib:
        hint = "If it needs that much, raise build_memory_mib in server.yml."
        hint += " Dockerfiles that are built at once share it." if is_shared else ""
    return PaasError("build-memory", f"The build {killed_for_memory(limit_mib)}.", hint)

"""A builder without processes, for the tests of what uses one."""

from collections.abc import Callable, Sequence
from pathlib import Path

from paas.domain.apps.apps import App
from paas.domain.builds.buildpacks import Buildpack
from paas.domain.releases.releases import ConfigVars
from paas.domain.values.errors import PaasError
from paas.domain.values.names import ProcessType
from paas.interfaces import Built


class FakeBuilder:
    """Knows an app by its requirements.txt, a web app by app.py, and a failure by its hook."""

    def build(
        self,
        app: App,
        tree: Path,
        config: ConfigVars,
        output: Callable[[bytes], None],
        *,
        buildpacks: Sequence[Buildpack] = (),
        commit: str = "",
        check: Callable[[], None] = lambda: None,
    ) -> Built:
        """See domain.interfaces.Builder."""
        check()
        if not (tree / "requirements.txt").is_file():
            raise PaasError("no-buildpack", "No buildpack recognises this app.")
        output(b"-----> Python app detected")
        if (tree / "bin/post_compile").is_file():
            reason = "bin/post_compile failed with exit status 3."
            raise PaasError("build-failed", reason, "Correct it, commit, and push again.")
        if (tree / "Procfile").is_file() or not (tree / "app.py").is_file():
            return Built("Python", {})
        return Built("Python", {ProcessType("web"): "gunicorn --threads 8 app:app"})

    def left(self, app_id: int) -> bool:
        """See domain.interfaces.Builder."""
        return False

    def clear(self, app_id: int) -> bool:
        """See domain.interfaces.Builder."""
        return False

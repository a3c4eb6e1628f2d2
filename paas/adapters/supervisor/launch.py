"""Has supervisord's own forked child launch an instance, instead of starting a Python for it.

The launcher (paas/entrypoints/launcher/launcher.py) is a separate program: supervisord forks and
becomes ``python3 -I -S launch.py SPEC``, which becomes the app's command. That Python takes 10 ms
to start, each time. supervisord's child is a Python already, and has the launcher's code.

After an upgrade supervisord keeps running the former code, while launch.py is the new version's:
then it is executed, as it would be without this.
"""

import gc
import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

Execute = Callable[[str, Sequence[str], Mapping[str, str]], None]


def launching(module: str, execute: Execute) -> Execute:
    """What supervisord's child calls in place of ``execute``, which is execve(2).

    module: the launcher's full name; its ``main`` takes launch.py and the spec, and never returns.
    """
    launcher = import_module(module)
    script = os.path.realpath(Path(str(launcher.__file__)).parents[1] / "launch.py")

    def launch(program: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        if len(argv) > 1 and os.path.realpath(argv[-2]) == script:
            gc.disable()  # it would copy supervisord's memory for the short while until exec
            launcher.main(list(argv[-2:]))
        execute(program, argv, env)

    return launch

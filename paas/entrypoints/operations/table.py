"""All operations, by name: those of the commands that do the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from paas.entrypoints.operations import account, apps
from paas.entrypoints.operations.call import Run
from paas.entrypoints.operations.shapes import APP, Shape

Words = Sequence[str]
Options = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Operation:
    """run: gets a `Call` and the arguments by name. takes: these arguments.

    words, options: of the command in the audit trail, from the arguments; `changes` says whether it
    is recorded at all.
    """

    run: Run
    takes: Shape
    changes: bool = False
    words: Callable[..., Words] = lambda **_: ()
    options: Callable[..., Options] = lambda **_: {}


OPERATIONS: Mapping[str, Operation] = {
    "apps": Operation(apps.listing, {}),
    "apps:info": Operation(apps.info, {"app": APP}),
    "auth:whoami": Operation(account.whoami, {}),
}

"""The record of one command in the audit trail: a line before it changes anything, one at its end.

A command for an app is recorded once it has named the app (Session.app_name), which each does
before it changes anything; the others before they begin.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import click

from paas.adapters.system.disk_faults import disk_fault
from paas.domain.audit import words as recorded_words
from paas.domain.audit.events import DONE, Attempt, End, State, Subject, end_of, via
from paas.domain.people.actors import Actor
from paas.domain.people.origins import Origin
from paas.domain.people.permissions import GIT_SERVICES
from paas.domain.values.errors import EXIT_FAILED, EXIT_USAGE, PaasError
from paas.interfaces import Progress
from paas.services.audit.audit import Audit, Begun

PUSH = "git push"
_INTERRUPTED = 130
_OF_GIT = {PUSH, *(name for name, row in GIT_SERVICES.items() if row.changes)}
# Of every command; what they show is not of interest.
_NOT_RECORDED = frozenset({"app", "as_json"})


@dataclass(slots=True)
class _Request:
    """A command as it was typed.

    is_due: whether it is recorded even if it succeeds. option: the app that -a names.
    """

    command: str
    words: list[str]
    options: Mapping[str, Sequence[str]] = field(default_factory=dict)
    subject: Subject = field(default_factory=Subject)
    is_due: bool = True
    option: str | None = None


class Recording:
    """The record of one request."""

    def __init__(self, audit: Audit, actor: Actor, origin: Origin, progress: Progress) -> None:
        self._audit = audit
        self._actor = actor
        self._origin = origin
        self._progress = progress
        self._request: _Request | None = None
        self._begun: Begun | None = None

    def enter(self, context: click.Context) -> None:
        """A command is about to run. Raises PaasError if it changes something and cannot be
        recorded."""
        name = str(context.command.name)
        if name not in recorded_words.WORDS:
            return
        options = _options(context)
        words = _arguments(context)
        if not recorded_words.changes(name, words, options):
            return
        self._request = _Request(name, words, options)
        self._request.option = context.params.get("app")
        if name in recorded_words.MAKES_APP:
            made = context.params.get("app") or context.params.get("name")
            self._request.subject = self._audit.subject(self._actor, made)
        elif "app" in context.params:
            return  # it names its app first
        self._begin()

    def names(self, app: str | None, *, by_position: bool = False) -> None:
        """The command has named its app, or None. by_position: with its first word."""
        if self._request is None or self._begun is not None:
            return
        if by_position:
            self._request.words = self._request.words[1:]
        how = recorded_words.WORDS[self._request.command]
        is_sure = not by_position or how not in recorded_words.UNSURE
        self._request.subject = self._audit.subject(self._actor, app, is_sure=is_sure)
        self._begin()

    def operation(
        self,
        command: str,
        words: Sequence[str],
        options: Mapping[str, Sequence[str]],
        *,
        app: str | None,
    ) -> None:
        """The same as a command, but over HTTP, is about to begin. app: as it was named."""
        if not recorded_words.changes(command, words, options):
            return
        self._request = _Request(command, [*words], options)
        made = words[0] if command in recorded_words.MAKES_APP and words else app
        self._request.subject = self._audit.subject(self._actor, made)
        self._begin()

    def push(self, app: Subject, refs: Mapping[str, str | None]) -> None:
        """A push is about to be accepted. refs: with their new commits."""
        self._request = _Request(PUSH, list(recorded_words.pushed(refs)), subject=app)
        self._begin()

    def service(self, service: str, app: str) -> None:
        """git requests write access: recorded if it creates the app, or is refused."""
        subject = self._audit.subject(self._actor, app)
        self._request = _Request(service, [], subject=subject, is_due=subject.app_id is None)
        if self._request.is_due:
            self._begin()

    def turned_away(self, command: str | None, error: PaasError) -> None:
        """The caller is not admitted at all. command: what they asked for."""
        if command is not None and (command in recorded_words.WORDS or command in _OF_GIT):
            self._request = _Request(command, [])
            self._end(end_of(error))

    def answered(self) -> None:
        """The client learns that the command succeeded; it may continue in the background."""
        self._end(DONE)

    @contextmanager
    def until_end(self, status: Callable[[], int]) -> Iterator[None]:
        """Record the end of what runs in the block. status: the exit status, at its end."""
        try:
            yield
        except BaseException as error:
            self._end(_end_by(error))
            raise
        found = status()
        self._end(DONE if found == 0 else End(state=State.FAILED, status=found))

    def _begin(self) -> None:
        request = self._request
        assert request is not None
        words = tuple(request.words)
        if request.command in recorded_words.WORDS:
            words = recorded_words.recorded(request.command, request.words, request.options)
        attempt = Attempt(
            user=self._actor.name,
            via=via(self._actor, self._origin),
            address=self._origin.address,
            subject=request.subject,
            command=request.command,
            words=words,
        )
        try:
            self._begun = self._audit.begin(attempt)
        except PaasError as error:
            self._request = None
            if request.command not in recorded_words.GO_ON:
                raise
            self._progress.warn(f"This is not recorded in the audit trail. {error.message}")

    def _end(self, end: End) -> None:
        request = self._request
        if request is None or (end.state is State.DONE and not request.is_due):
            return
        self._request = None
        try:
            if self._begun is None:  # it failed before it had named its app
                self._request = request
                if request.option is not None:
                    request.subject = self._audit.subject(self._actor, request.option)
                self._begin()
                self._request = None
            if self._begun is not None:
                self._audit.end(self._with_present_name(self._begun, end), end)
        except PaasError as error:
            self._progress.warn(
                f"The end of this is not recorded in the audit trail. {error.message}"
            )

    def _with_present_name(self, begun: Begun, end: End) -> Begun:
        """The change under its app's present name, with the id of an app that it created."""
        subject = begun.attempt.subject
        if end.state is State.REFUSED:
            return begun
        if subject.app_id is None:
            subject = self._audit.subject(self._actor, subject.app)
        else:
            subject = self._audit.renamed(subject)
        return replace(begun, attempt=replace(begun.attempt, subject=subject))

    def made(self, app: str) -> None:
        """The command has created an app, under a name that was not known before."""
        if self._begun is not None and self._begun.attempt.subject.app is None:
            attempt = replace(self._begun.attempt, subject=Subject(app))
            self._begun = replace(self._begun, attempt=attempt)


def _end_by(error: BaseException) -> End:
    """The end of a command that raised an exception."""
    match error:
        case PaasError():
            return end_of(error)
        case click.UsageError():
            return End(state=State.REFUSED, status=EXIT_USAGE, error="arguments")
        case click.exceptions.Exit():
            state = State.FAILED if error.exit_code else State.DONE
            return End(state=state, status=error.exit_code)
        case click.exceptions.Abort() | KeyboardInterrupt():
            return End(state=State.FAILED, status=_INTERRUPTED, error="interrupted")
        case OSError() if (fault := disk_fault(error)) is not None:
            return end_of(fault)
    return End(state=State.FAILED, status=EXIT_FAILED, error="internal-error")


def _arguments(context: click.Context) -> list[str]:
    """The words that are not options, in their order."""
    found: list[str] = []
    for parameter in context.command.params:
        if isinstance(parameter, click.Argument):
            value = context.params.get(parameter.name or "")
            found += map(
                str, value if isinstance(value, tuple) else [] if value is None else [value]
            )
    return found


def _options(context: click.Context) -> dict[str, list[str]]:
    """The values of the options that were given, by their long names; none for flags."""
    found: dict[str, list[str]] = {}
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        is_option = isinstance(parameter, click.Option) and parameter.name not in _NOT_RECORDED
        if not is_option or value in (None, False, ()):
            continue
        name = max(parameter.opts, key=len)
        if isinstance(parameter, click.Option) and parameter.is_flag:
            if value is True or value == parameter.flag_value:
                found[name] = []
        else:
            found[name] = [*map(str, value)] if isinstance(value, tuple) else [str(value)]
    return found

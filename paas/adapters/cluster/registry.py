"""`ImageRegistry` of interfaces by Debian's docker-registry, at the server's cluster address."""

import fcntl
import hashlib
import hmac
import shutil
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Protocol, TypeVar

from paas.adapters.cluster.engine_trust import ENGINE_CAS, tell_engine, untell_engine
from paas.adapters.cluster.registry_api import RegistryApi, registry_down
from paas.adapters.cluster.registry_certificates import certificate_of, make_authority
from paas.adapters.cluster.registry_leftovers import remove_leftovers
from paas.adapters.cluster.registry_program import (
    REGISTRY,
    REPOSITORY,
    USER,
    collecting_argv,
    images,
    is_renewal_due,
    require_program,
)
from paas.adapters.cluster.registry_push import push
from paas.adapters.cluster.registry_record import (
    RegistryRecord,
    read_record,
    remove_record,
    write_record,
)
from paas.adapters.docker.programs import DOCKERD, engine_environment
from paas.adapters.system.files import make_directory, remove, write_atomic
from paas.adapters.system.flocks import locked
from paas.adapters.system.random_names import random_secret
from paas.adapters.system.subprocesses import run
from paas.domain.values.errors import PaasError
from paas.domain.values.secret import Secret
from paas.settings import Settings

_START_LIMIT_S = 60.0
# supervisord starts one that was killed again within a second.
_RETURN_LIMIT_S = 15.0
_COLLECT_LIMIT_S = 900.0
_POLL_S = 0.1
_Answer = TypeVar("_Answer")


class Programs(Protocol):
    """The server's supervisord, as far as it is asked here."""

    def keep_program(self, name: str, *, wanted: bool) -> None: ...
    def restart_program(self, name: str) -> None: ...


class DockerRegistry:
    """Images have no name there that could be guessed: a tag made of the id and the password."""

    def __init__(self, settings: Settings, programs: Programs, cas: Path = ENGINE_CAS) -> None:
        self._settings = settings
        self._paths = settings.paths
        self._programs = programs
        self._cas = cas

    def begin(self, address: IPv4Address) -> None:
        require_program()
        _require_port(self._settings)
        wanted, present = (address, self._settings.registry_port), read_record(self._settings)
        is_new = present is None or (present.address, present.port) != wanted
        try:
            if is_new:
                self._found(address)
            tell_engine(self._settings, self._cas)
            self._programs.keep_program(REGISTRY, wanted=True)
            self.wait()
        except PaasError:
            if is_new:
                self.end()
            raise

    def end(self) -> None:
        self._programs.keep_program(REGISTRY, wanted=False)
        untell_engine(self._settings, self._cas)
        remove_record(self._settings)
        remove(self._paths.registry_authority)
        shutil.rmtree(self._paths.registry, ignore_errors=True)

    def host(self) -> str:
        return self._record().host

    def authority(self) -> str:
        self._record()
        return certificate_of(self._paths.registry_authority.read_bytes())

    def login(self) -> tuple[str, Secret]:
        return USER, self._record().password

    def publish(self, image_id: str) -> str:
        record, api = self._record(), self._api()
        tag = _tag(record, image_id)
        with locked(self._paths.registry_lock, fcntl.LOCK_SH):
            digest = self._patiently(lambda: api.digest(tag))
            if digest is None:
                push(self._settings, image_id, f"{record.host}/{REPOSITORY}", tag, self.login())
                digest = api.digest(tag)
        if digest is None:
            raise registry_down("it does not have what was pushed to it")
        return f"{record.host}/{REPOSITORY}@{digest}"

    def keep_only(self, image_ids: Callable[[], Collection[str]]) -> None:
        record, api = self._record(), self._api()
        begun = self._paths.registry / "collecting"
        with locked(self._paths.registry_lock):
            kept = {_tag(record, image_id) for image_id in image_ids()}
            gone = api.tags() - kept
            if not gone and not begun.exists():
                return
            write_atomic(begun, b"")
            for tag in gone:
                if (digest := api.digest(tag)) is not None:
                    api.delete(digest)
            if images(self._settings).joinpath("docker").exists():
                self._collect()
            remove(begun)

    def renew(self) -> None:
        if is_renewal_due(self._settings):
            with locked(self._paths.registry_lock):
                self._programs.restart_program(REGISTRY)

    def check(self) -> None:
        self._api().check()

    def wait(self, limit_s: float = _START_LIMIT_S) -> None:
        """Until it answers. Raises PaasError with why it does not, after the limit."""
        deadline = time.monotonic() + limit_s
        while True:
            try:
                return self.check()
            except PaasError as error:
                if time.monotonic() > deadline:
                    log = self._paths.logs / f"{REGISTRY}.log"
                    raise PaasError(error.reference, error.message, f"Its log is {log}") from error
            time.sleep(_POLL_S)

    def _record(self) -> RegistryRecord:
        present = read_record(self._settings)
        if present is None:
            raise PaasError(
                "registry",
                "This server has no registry from which nodes could pull images.",
                "To set one up: paas nodes:init --address ADDRESS",
            )
        return present

    def _api(self) -> RegistryApi:
        return RegistryApi(self._record(), USER, REPOSITORY, self.authority())

    def _found(self, address: IPv4Address) -> None:
        """Decide what it is to be, in place of a former one."""
        self.end()
        make_directory(self._paths.cluster, mode=0o700)
        write_atomic(self._paths.registry_authority, make_authority(datetime.now(UTC)), mode=0o600)
        password = Secret(random_secret())
        record = RegistryRecord(address, self._settings.registry_port, password)
        before = engine_environment(self._settings)
        write_record(self._settings, record)
        if engine_environment(self._settings) != before:  # it is not to use a proxy for this
            self._programs.restart_program(DOCKERD)

    def _patiently(self, question: Callable[[], _Answer]) -> _Answer:
        """Its answer, also if it is being started again after a crash."""
        try:
            return question()
        except PaasError:
            self.wait(_RETURN_LIMIT_S)
            return question()

    def _collect(self) -> None:
        """Whatever no manifest refers to; nothing is pushed meanwhile, so nothing else needs it."""
        run(
            collecting_argv(self._settings),
            description="Deleting old images of the registry for nodes",
            timeout_s=_COLLECT_LIMIT_S,
            env={},
        )
        remove_leftovers(images(self._settings), REPOSITORY)


def _require_port(settings: Settings) -> None:
    """Raises PaasError if an app or a datastore could get the registry's port."""
    port = settings.registry_port
    if any(first <= port <= last for first, last in (settings.ports, settings.service_ports)):
        raise PaasError(
            "registry-port",
            f"The port of the registry for nodes, {port}, is one of those for apps or datastores.",
            "Choose another: registry_port in server.yml. Then run install.sh again.",
        )


def _tag(record: RegistryRecord, image_id: str) -> str:
    key = record.password.reveal().encode()
    return hmac.new(key, image_id.encode(), hashlib.sha256).hexdigest()

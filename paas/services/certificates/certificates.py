"""Certificates that users add: adding, showing and removing them."""

from collections.abc import Sequence
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.certificates.certificates import (
    AppCertificate,
    Bundle,
    Origin,
    covered,
    days_left,
    replaced_by,
    shown_for,
)
from paas.domain.people.actors import Actor
from paas.domain.people.permissions import Permission
from paas.domain.values.errors import PaasError
from paas.interfaces import CertificateFiles, CertificateReader, Clock, Locks, Progress
from paas.services.access import find_app, refreshed
from paas.services.progress import waiting
from paas.services.routing.sites import Sites
from paas.store import Store

CERTIFICATES_MAX = 100


@dataclass(frozen=True, slots=True)
class CertificateInfo:
    """A certificate of an app, and the names of the app that it is shown for."""

    certificate: AppCertificate
    hosts: tuple[str, ...]
    left: str
    worrying: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """What users do with an app's certificates."""

    store: Store
    sites: Sites
    reader: CertificateReader
    files: CertificateFiles
    locks: Locks
    clock: Clock

    def listing(self, actor: Actor, name: str) -> list[CertificateInfo]:
        """Each certificate of the app, in the order in which they came."""
        return self._listed(find_app(self.store, actor, name, to=Permission.VIEW))

    def find(self, actor: Actor, name: str, word: str | None) -> list[CertificateInfo]:
        """Those of that id, or shown for that name; all without a word, if there are any."""
        app = find_app(self.store, actor, name, to=Permission.VIEW)
        every = self._listed(app)
        found = [x for x in every if word in (None, x.certificate.id) or word in x.hosts]
        if not found:
            raise PaasError(
                "no-such-certificate",
                f"{app.name} has no certificate{f' {word}' if word else ''}.",
                f"See: paas certs -a {app.name}",
            )
        return found

    def add(self, actor: Actor, name: str, pem: bytes, progress: Progress) -> AppCertificate:
        """Check a certificate with its chain and key, and use it for the names that it covers.

        It replaces those that the app brought before and that it covers whole. Raises
        PaasError, with all as it was, where it is not good or fits none of the app's names.
        """
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        self.require_https()
        now = self.clock.now()
        bundle = self.reader.read(pem, now)
        with self.locks.app(app.id, f"{actor.name} adds a certificate", waiting(progress)):
            app = refreshed(self.store, app)
            present = self.store.certificates.of_app(app.id)
            self._check_names(app, bundle, progress)
            for same in present:
                # With another chain it is new: a missing intermediate may have been added.
                is_same = (same.facts.fingerprint, same.facts.chain) == (
                    bundle.facts.fingerprint,
                    bundle.facts.chain,
                )
                if is_same and same.origin is Origin.OWN:
                    progress.detail(f"The app already has this certificate, as {same.id}.")
                    return same
            made = AppCertificate(self.files.new_id(app.id), app.id, Origin.OWN, bundle.facts, now)
            replaced = replaced_by(made, present)
            if len(present) - len(replaced) >= CERTIFICATES_MAX:
                raise PaasError(
                    "too-many-certificates",
                    f"{app.name} has {len(present)} certificates; an app may have "
                    f"{CERTIFICATES_MAX}.",
                    f"Remove those that it does not need: paas certs -a {app.name}",
                )
            self.keep(app, made, bundle, replaced)
        for old in replaced:
            progress.detail(f"It replaces {old.id} ({', '.join(old.facts.names)}).")
        self._warn(made, progress)
        return made

    def keep(
        self, app: App, made: AppCertificate, bundle: Bundle, remove: Sequence[AppCertificate]
    ) -> None:
        """Write a certificate's files and use it. The caller holds the app's lock."""
        try:
            self.files.write(made.id, bundle)
            self.sites.change_certificates(app, [made], remove)
        except BaseException:
            self.files.remove(made.id)
            raise

    def remove(
        self, actor: Actor, name: str, word: str | None, progress: Progress
    ) -> list[AppCertificate]:
        """Stop using it, and delete it and its key. Without a word: the only one a user added."""
        app = find_app(self.store, actor, name, to=Permission.CONFIGURE)
        with self.locks.app(app.id, f"{actor.name} removes a certificate", waiting(progress)):
            app = refreshed(self.store, app)
            found = [x.certificate for x in self.find(actor, app.name, word)]
            own = [c for c in found if c.origin is Origin.OWN]
            if found and all(one.is_shared for one in found):
                raise PaasError(
                    "certificate-auto",
                    f"This certificate is for all apps of the server, not only for {app.name}.",
                    "An admin can end that: paas certs:dns off",
                )
            if not own:
                raise PaasError(
                    "certificate-auto",
                    f"{app.name} got this certificate automatically, and would get it again.",
                    f"To turn that off: paas certs:auto off -a {app.name}",
                )
            if len(own) > 1:
                ids = ", ".join(c.id for c in own)
                raise PaasError(
                    "which-certificate",
                    f"{app.name} has {len(own)} certificates: {ids}.",
                    f"Name one of them: paas certs:remove {app.name} {own[0].id}",
                )
            self.sites.change_certificates(app, [], own)
        return own

    def require_https(self) -> None:
        """Raises PaasError if this server does not listen on a port for HTTPS."""
        if not self.sites.addresses.https_port:
            raise PaasError(
                "no-https",
                "This server has no port for HTTPS (https_port is 0 in server.yml).",
                "The server's operator can add one with: ./install.sh --root DIR --https-port N",
            )

    def _listed(self, app: App) -> list[CertificateInfo]:
        held, names, now = (
            [*self.store.certificates.of_app(app.id), *self.store.shared_certificates.all()],
            self.sites.names(app),
            self.clock.now(),
        )
        return [
            CertificateInfo(
                one,
                tuple(name for name in names if shown_for(held, name) == one),
                days_left(one.facts, now),
                one.is_worrying(now),
            )
            for one in held
            if not one.is_shared or any(shown_for(held, name) == one for name in names)
        ]

    def _check_names(self, app: App, bundle: Bundle, progress: Progress) -> None:
        names = self.sites.names(app)
        bare = [name for name in names if not covered(bundle.facts.names, name)]
        if len(bare) == len(names):
            raise PaasError(
                "certificate-names",
                f"The certificate is for {', '.join(bundle.facts.names[:10])}; {app.name} answers "
                f"to {', '.join(names[:10])}.",
                f"If the app should have that name: paas domains:add {app.name} "
                f"{bundle.facts.names[0]}",
            )
        if bare:
            progress.detail(f"It does not cover {', '.join(bare[:10])}.")

    def _warn(self, made: AppCertificate, progress: Progress) -> None:
        if made.facts.self_signed:
            progress.warn("It is self-signed: browsers will warn their users.")
        elif len(made.facts.chain) == 1:
            progress.warn("It lacks the certificate of its issuer, which some clients need.")
        if made.is_worrying(self.clock.now()):
            progress.warn(f"It expires {days_left(made.facts, self.clock.now())}.")

"""Asking an issuer's OCSP responder about a certificate, and verifying what it says (RFC 6960)."""

import http.client
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from paas.adapters.drain_sinks import Dial, SendError, reason
from paas.adapters.unprivileged import ChildFailedError, result_of
from paas.domain.drains import Target, parse_target
from paas.domain.errors import PaasError
from paas.domain.names import printable
from paas.domain.ocsp import (
    ANSWER_MAX_BYTES,
    Answer,
    OcspError,
    RevokedError,
    check_times,
    why_closed,
)

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from cryptography.x509.ocsp import OCSPResponse, OCSPSingleResponse

# For the whole exchange, the look-up of the name apart.
LIMIT_S = 15.0
# For that look-up, and for each address that the name has.
REACH_LIMIT_S = 60.0
_WHY_MAX = 500


class OcspResponders:
    """`Responders` of domain/interfaces. to_private: the setting ocsp_private. uid: who asks."""

    def __init__(self, *, to_private: bool, uid: int, limit_s: float = LIMIT_S) -> None:
        self._to_private = to_private
        self._uid = uid
        self._limit_s = limit_s

    def ask(self, chain: Path, url: str, now: datetime) -> Answer:
        """What the responder says of the chain's first certificate. Raises OcspError."""
        from cryptography import x509

        try:
            found = x509.load_pem_x509_certificates(chain.read_bytes())
            leaf, issuer = found[:2]
        except (OSError, ValueError) as error:
            raise OcspError("the certificate came without that of its issuer") from error
        return verified(self._answer(_target(url), _request(leaf, issuer)), leaf, issuer, now)

    def _answer(self, target: Target, request: bytes) -> bytes:
        """What `_fetch` returns, of a child without rights: whom it speaks to is any stranger."""

        def fetch() -> bytes:
            try:
                return b"+" + self._fetch(target, request)
            except OcspError as error:
                return b"-" + str(error)[:_WHY_MAX].encode()

        limit_s = self._limit_s + REACH_LIMIT_S
        try:
            said = result_of(fetch, self._uid, max_bytes=ANSWER_MAX_BYTES + 1, limit_s=limit_s)
        except ChildFailedError as error:
            raise OcspError(f"the responder could not be asked: {error}") from error
        if said[:1] != b"+":
            raise OcspError(printable(said[1:].decode(errors="replace")))
        return said[1:]

    def _fetch(self, target: Target, request: bytes) -> bytes:
        refuse = partial(why_closed, to_private=self._to_private)
        dial = Dial(target, to_server=self._to_private, refuse=refuse)
        try:
            dialled = dial.connect()
        except SendError as error:
            raise OcspError(f"the responder cannot be reached: {error}") from error
        # A limit for each piece would let a responder go on for hours.
        is_over = threading.Event()
        limit = threading.Timer(self._limit_s, _end, [dialled, is_over])
        limit.start()
        try:
            return _post(dialled, target, request, is_over)
        except http.client.HTTPException as error:
            raise OcspError("the responder's answer is not HTTP") from error
        except OSError as error:
            raise OcspError(f"the responder did not answer: {reason(error)}") from error
        finally:
            limit.cancel()
            dialled.close()


def _target(url: str) -> Target:
    try:
        target = parse_target(url)
    except PaasError as error:
        raise OcspError("the responder's address is no URL") from error
    if not target.is_http:
        raise OcspError("the responder's address is not one of http or https")
    return target


def _end(dialled: socket.socket, is_over: threading.Event) -> None:
    is_over.set()
    with suppress(OSError):
        socket.socket.shutdown(dialled, socket.SHUT_RDWR)


def _post(
    dialled: socket.socket, target: Target, request: bytes, is_over: threading.Event
) -> bytes:
    """The body of the answer; no redirect is followed."""
    connection = http.client.HTTPConnection(target.host, target.port)
    connection.sock = dialled
    headers = {"Content-Type": "application/ocsp-request", "User-Agent": "paas"}
    connection.request("POST", target.path, request, headers)
    response = connection.getresponse()
    if response.status != 200:
        raise OcspError(f"the responder answered with status {response.status}")
    body = response.read(ANSWER_MAX_BYTES + 1)
    if is_over.is_set():  # which looks like the end of the answer
        raise OcspError("the responder answers too slowly")
    if len(body) > ANSWER_MAX_BYTES:
        raise OcspError(f"the responder's answer is larger than {ANSWER_MAX_BYTES} bytes")
    return body


def _request(leaf: "Certificate", issuer: "Certificate") -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA1
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ocsp

    # SHA-1 only names the issuer here, and is what every responder knows (RFC 5019).
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, SHA1())  # noqa: S303
    return builder.build().public_bytes(Encoding.DER)


def verified(der: bytes, leaf: "Certificate", issuer: "Certificate", now: datetime) -> Answer:
    """The answer, where it is the issuer's, of this certificate, good, and in force.

    Raises OcspError.
    """
    from cryptography.x509 import ocsp

    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise OcspError(f"the responder says {response.response_status.name}")
        single = _of(response, leaf, issuer)
        _check_signature(response, issuer, now)
        if single.certificate_status == ocsp.OCSPCertStatus.REVOKED:
            raise RevokedError("the issuer has revoked the certificate")
        if single.certificate_status != ocsp.OCSPCertStatus.GOOD:
            raise OcspError("the responder does not know the certificate")
        made_at = single.this_update_utc
        return Answer(der, made_at, check_times(made_at, single.next_update_utc, now))
    except OcspError:
        raise
    except Exception as error:  # the parser's own errors are of many kinds
        raise OcspError("the responder's answer is not one of OCSP") from error


def _of(
    response: "OCSPResponse", leaf: "Certificate", issuer: "Certificate"
) -> "OCSPSingleResponse":
    """What it says of this certificate: of the same number, by the same issuer and key."""
    from cryptography.x509 import ocsp

    for single in response.responses:
        if single.serial_number != leaf.serial_number:
            continue
        algorithm = single.hash_algorithm
        same = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, algorithm).build()
        names = (same.issuer_name_hash, same.issuer_key_hash)
        if (single.issuer_name_hash, single.issuer_key_hash) == names:
            return single
    raise OcspError("the responder's answer is of another certificate")


def _check_signature(response: "OCSPResponse", issuer: "Certificate", now: datetime) -> None:
    """By the issuer, or by whom it lets sign such answers (RFC 6960, 4.2.2.2)."""
    delegated = [one for one in response.certificates if _is_delegated(one, issuer, now)]
    if not any(_has_signed(signer, response) for signer in [issuer, *delegated]):
        raise OcspError("the responder's answer is not signed by the certificate's issuer")


def _is_delegated(one: "Certificate", issuer: "Certificate", now: datetime) -> bool:
    from cryptography import x509

    try:
        one.verify_directly_issued_by(issuer)
        usage: Sequence[x509.ObjectIdentifier] = list(
            one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        )
    except Exception:  # whatever is wrong with it, it is no such certificate
        return False
    is_current = one.not_valid_before_utc <= now < one.not_valid_after_utc
    return is_current and x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING in usage


def _has_signed(signer: "Certificate", response: "OCSPResponse") -> bool:
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    key, algorithm = signer.public_key(), response.signature_hash_algorithm
    if algorithm is None or algorithm.name in ("md5", "sha1"):
        return False
    signed = response.signature, response.tbs_response_bytes
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(*signed, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(*signed, padding.PKCS1v15(), algorithm)
        else:
            return False
    except Exception:  # InvalidSignature, and what is not even one
        return False
    return True

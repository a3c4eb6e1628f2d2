"""An issuer's OCSP responder on loopback, which says what a test wants."""

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from paas.domain.ocsp import ANSWER_MAX_BYTES
from tests.authority import DAY, Authority, ec_key, self_signed
from tests.ports import free_port


class Responder:
    """An authority with a leaf for each name. how: what is wrong with its answers, or empty."""

    def __init__(self, *names: str) -> None:
        self.authority = Authority()
        self.how = ""
        self.keys = {name: ec_key() for name in names}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                outer.answer(self, ocsp.load_der_ocsp_request(asked))

            def log_message(self, *args: object) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ask"
        self.leaves = {
            name: self.authority.leaf(name, key=key, ocsp=self.url)
            for name, key in self.keys.items()
        }
        self.stranger_key = ec_key()
        self.stranger = self_signed("stranger", key=self.stranger_key)
        usage = x509.oid.ExtendedKeyUsageOID.OCSP_SIGNING
        self.delegate_key, self.server_key = ec_key(), ec_key()
        self.delegate = self.authority.leaf("delegate", key=self.delegate_key, usage=usage)
        self.no_delegate = self.authority.leaf("no delegate", key=self.server_key)

    def answer(self, handler: http.server.BaseHTTPRequestHandler, asked: ocsp.OCSPRequest) -> None:
        """As `how` says."""
        if self.how == "slow":
            handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
            while not handler.wfile.closed:
                try:
                    handler.wfile.write(b"X: y\r\n")
                except OSError:
                    return
                time.sleep(0.05)
        if self.how == "moved":
            handler.send_response(302)
            handler.send_header("Location", "http://127.0.0.1:1/")
            handler.end_headers()
            return
        body = {"large": b"x" * (ANSWER_MAX_BYTES + 1), "nonsense": b"nonsense"}.get(self.how)
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(body or self.signed(asked.serial_number))

    def signed(self, serial: int) -> bytes:
        """An answer, DER."""
        if self.how == "busy":
            later = ocsp.OCSPResponseStatus.TRY_LATER
            built = ocsp.OCSPResponseBuilder.build_unsuccessful(later)
            return built.public_bytes(Encoding.DER)
        other = self.how == "other"
        leaf = next(x for x in self.leaves.values() if (x.serial_number == serial) is not other)
        age, ends = {"old": (3, -1), "early": (-2, 7), "short": (0, 0.5)}.get(self.how, (1, 7))
        now = datetime.now(UTC)
        signer, key, certificates = {
            "delegated": (self.delegate, self.delegate_key, [self.delegate]),
            "no delegate": (self.no_delegate, self.server_key, [self.no_delegate]),
            "stranger": (self.stranger, self.stranger_key, [self.stranger]),
        }.get(self.how, (self.authority.intermediate, self.authority.key, []))
        revoked = self.how == "revoked"
        status = {
            "revoked": ocsp.OCSPCertStatus.REVOKED,
            "unknown": ocsp.OCSPCertStatus.UNKNOWN,
        }.get(self.how, ocsp.OCSPCertStatus.GOOD)
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=leaf,
                issuer=self.authority.intermediate,
                algorithm=hashes.SHA1(),
                cert_status=status,
                this_update=now - age * DAY,
                next_update=None if self.how == "endless" else now + ends * DAY,
                revocation_time=now - DAY if revoked else None,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
        )
        if certificates:
            builder = builder.certificates(certificates)
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@contextmanager
def ocsp_responder(*names: str) -> Iterator[Responder]:
    """One that serves."""
    made = Responder(*names)
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()

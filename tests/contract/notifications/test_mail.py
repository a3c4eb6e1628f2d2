"""Mail, as a mail server gets it."""

import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy

import pytest

from paas.adapters.logs.drain_sinks import SendError
from paas.adapters.notifications.delivery import Mail


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much of SMTP (RFC 5321) as it takes. commands: what it was told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.commands: list[str] = []
        self.mails: list[bytes] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """As the setting smtp_url has it."""
        return f"smtp://127.0.0.1:{self.server_address[1]}?from=paas@example.com"


class _Session(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        """Answer each command."""
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            command = line.decode().strip().upper()
            self.server.commands.append(command)
            if command == "DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.mails.append(self._mail())
            elif command == "RCPT TO:<NOBODY@EXAMPLE.COM>":
                self.wfile.write(b"550 no such user\r\n")
                continue
            self.wfile.write(b"250 ok\r\n" if command != "QUIT" else b"221 bye\r\n")

    def _mail(self) -> bytes:
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(lines)


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server on this machine."""
    made = MailServer()
    yield made
    made.shutdown()
    made.server_close()


def test_a_mail_has_its_sender_subject_and_text(server: MailServer) -> None:
    """Any character may be in it."""
    Mail(server.url).send("ops@example.com", "[é] A title", "What is wrong.\n→ paas doctor")
    (raw,) = server.mails
    mail = message_from_bytes(raw, policy=policy.default)
    assert (mail["From"], mail["To"]) == ("paas@example.com", "ops@example.com")
    assert mail["Subject"] == "[é] A title"
    assert mail.get_content().splitlines() == ["What is wrong.", "→ paas doctor"]


def test_a_refused_mail_says_so(server: MailServer) -> None:
    """Without the address."""
    with pytest.raises(SendError) as caught:
        Mail(server.url).send("nobody@example.com", "A", "B")
    assert str(caught.value) == "the mail server refused it (SMTPRecipientsRefused)"
    assert server.mails == []

"""The certificate for the hosts of the web process, and the attempt that failed last."""

from paas.domain.certificates.acme import Attempt
from paas.domain.certificates.certificates import Facts
from paas.domain.certificates.web import WebCertificate
from paas.store.certificates import attempt_of, attempt_values, facts_of, plain_facts
from paas.store.database import Table


class WebCertificates(Table):
    """The one that there is."""

    def get(self) -> WebCertificate:
        """Its state; nothing before the first attempt."""
        issued = self._database.rows("SELECT facts FROM web_certificate")
        failed = self._database.rows(
            "SELECT host, count, at, again, reason, refusals FROM web_certificate_attempt"
        )
        return WebCertificate(
            facts_of(issued[0]["facts"]) if issued else None,
            attempt_of(failed[0]) if failed else None,
        )

    def set_issued(self, facts: Facts) -> None:
        """Record the one that is shown from now on; what failed before is forgotten."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM web_certificate_attempt")
            connection.execute(
                "INSERT OR REPLACE INTO web_certificate (one, facts) VALUES (1, ?)",
                (plain_facts(facts),),
            )

    def set_attempt(self, attempt: Attempt) -> None:
        """Record how asking failed."""
        self._database.write(
            "INSERT OR REPLACE INTO web_certificate_attempt "
            "(one, host, count, at, again, reason, refusals) VALUES (1, ?, ?, ?, ?, ?, ?)",
            *attempt_values(attempt),
        )

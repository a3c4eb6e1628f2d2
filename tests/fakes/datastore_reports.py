"""Answers of a running datastore, in memory."""

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.reports import Report, Row


class FakeDatastoreReports:
    """`DatastoreReports`. answers: what it says; sessions: the pids of those that can be ended."""

    def __init__(self) -> None:
        self.answers: dict[Report, list[Row]] = {}
        self.sessions: set[int] = set()

    def rows(self, datastore: Datastore, report: Report) -> list[Row]:
        return self.answers.get(report, [])

    def end(self, datastore: Datastore, pid: int) -> bool:
        is_there = pid in self.sessions
        self.sessions.discard(pid)
        return is_there

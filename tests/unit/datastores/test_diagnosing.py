"""Who may look into a running datastore, and how its answers are judged."""

import pytest

from paas.domain.datastores.kinds import DatastoreKind
from paas.domain.datastores.plans import SMALL
from paas.domain.datastores.reports import CHECKS, Color, Report, judged
from paas.domain.values.errors import PaasError
from tests.fakes.world import ROOT, World


def test_the_gravest_row_decides() -> None:
    """What is green is left out."""
    rows = [{"name": color, "color": str(color)} for color in Color]
    found = judged(Report.BLOAT, rows)
    assert (found.color, len(found.rows)) == (Color.RED, 2)
    assert judged(Report.BLOAT, rows[:2]).color is Color.YELLOW
    assert judged(Report.BLOAT, []).color is Color.GREEN


def test_all_checks_are_made_by_those_who_may_open_psql(world: World) -> None:
    """Statements have values of the app, which viewers do not see."""
    world.app()
    order = (DatastoreKind.POSTGRESQL, SMALL)
    world.datastores.create(ROOT, "shop", order, None, world.progress)
    world.datastore_reports.answers[Report.BLOAT] = [{"name": "t", "color": "yellow"}]
    found = world.diagnosing.diagnose(ROOT, "shop", None)
    assert [one.check for one in found] == list(CHECKS)
    assert [str(one.check) for one in found if one.color is not Color.GREEN] == ["bloat"]
    with pytest.raises(PaasError, match="no app"):
        world.diagnosing.report(world.user("bob"), "shop", None, Report.PS)


def test_ending_a_session(world: World) -> None:
    """One that is not there is an error."""
    world.app()
    order = (DatastoreKind.POSTGRESQL, SMALL)
    world.datastores.create(ROOT, "shop", order, None, world.progress)
    world.datastore_reports.sessions.add(7)
    world.diagnosing.end(ROOT, "shop", None, 7)
    with pytest.raises(PaasError) as caught:
        world.diagnosing.end(ROOT, "shop", None, 7)
    assert caught.value.reference == "no-such-session"

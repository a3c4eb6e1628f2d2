"""MariaDB's own tables after the distribution has replaced its programs, on the real server."""

from dataclasses import replace
from functools import partial

from paas.adapters.datastores.mysql import asking, programs
from paas.adapters.datastores.mysql.catching_up import MariadbFiles
from tests.contract.datastores.test_mysql import ONE, Running, query, real

__all__ = ["real"]


def test_tables_of_a_former_version_are_brought_up(real: Running) -> None:
    """What those lack is made; nothing of the app changes, and no account is left."""
    assert real.settings is not None
    files, ask = MariadbFiles(real.settings), partial(asking.ask, real.settings.paths)
    assert query(real, "CREATE TABLE kept AS SELECT 7 AS number") == ""
    ask(ONE, "DROP TABLE mysql.column_stats;\n")
    accounts = ask(ONE, "SELECT user, host FROM mysql.user ORDER BY 1, 2;\n")
    former = replace(ONE, version="10.5")
    installed = programs.installed()
    assert files.catch_up(former) == installed
    assert ask(ONE, "SELECT COUNT(*) FROM mysql.column_stats;\n").strip() == "0"
    assert ask(ONE, "SELECT user, host FROM mysql.user ORDER BY 1, 2;\n") == accounts
    assert query(real, "SELECT number FROM kept") == "7"
    assert installed is not None
    assert files.catch_up(replace(ONE, version=installed)) is None

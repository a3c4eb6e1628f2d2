"""What supervisord's main loop is cured of, as far as it can be seen without supervisord."""

from pathlib import Path

import pytest
from supervisor import loggers

from paas.adapters.supervisor import loop


def test_a_log_that_could_not_be_made_anew_is_opened_with_its_next_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotation closes the file first; on a full disk none is open afterwards."""
    monkeypatch.setattr(loggers.RotatingFileHandler, "emit", loggers.RotatingFileHandler.emit)
    monkeypatch.setattr(loggers.Handler, "handleError", loggers.Handler.handleError)
    loop.drop_unloggable_output()
    logger = loggers.Logger()
    handler = loggers.RotatingFileHandler(str(tmp_path / "log"), maxBytes=1_000, backupCount=1)
    handler.setFormat("%(message)s\n")
    logger.addHandler(handler)
    logger.info("one")
    handler.stream.close()
    logger.info("two")
    handler.stream.flush()
    assert (tmp_path / "log").read_text() == "one\ntwo\n"
    handler.stream.close()

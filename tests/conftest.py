"""What holds for all tests."""

import signal


def pytest_configure() -> None:
    """Take signals as a program on a terminal does, though started by ``nohup tests/run &``.

    A signal that is ignored stays so in every process that the tests start.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)

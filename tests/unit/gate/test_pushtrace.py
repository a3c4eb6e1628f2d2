"""What a push's hook learns from git's own trace."""

import os

import pytest

from paas.entrypoints.gate_client.pushtrace import is_complete

CHECK = '"argv":["git","rev-list","--objects","--stdin","--not","--all","--quiet"]'
START = f'{{"event":"child_start","sid":"a","child_id":1,{CHECK}}}'
OTHERS = '{"event":"child_exit","sid":"a/b","child_id":1,"pid":7,"code":0,"t_rel":0.1}'
ENDED = '{"event":"child_exit","sid":"a","child_id":1,"pid":7,"code":0,"t_rel":0.1}'
# In a text, git escapes the quotes.
FORGED = '{"event":"error","sid":"a","msg":"{\\"event\\":\\"child_exit\\",\\"code\\":0,"}'


@pytest.mark.parametrize(
    ("lines", "complete"),
    [
        ([START, OTHERS, ENDED], True),
        ([START, ENDED.replace('"code":0', '"code":1')], False),
        ([START, ENDED.replace('"code":0', '"code":-1'), ENDED], False),
        ([START, OTHERS, FORGED], False),
        ([ENDED], False),
        ([START], False),
        ([], False),
    ],
)
def test_whether_git_found_all_of_a_push(lines: list[str], complete: bool) -> None:
    """Only its own check counts, and only its own end."""
    trace = os.memfd_create("trace")
    os.write(trace, "".join(f"{line}\n" for line in lines).encode())
    assert is_complete({"GIT_TRACE2_EVENT": str(trace)}) is complete
    os.close(trace)


@pytest.mark.parametrize("env", [{}, {"GIT_TRACE2_EVENT": "/x"}, {"GIT_TRACE2_EVENT": "99999"}])
def test_without_a_trace_it_is_unknown(env: dict[str, str]) -> None:
    """Then the hook has git check it."""
    assert not is_complete(env)

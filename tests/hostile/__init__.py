"""Attacks on a whole server by hostile apps, pushes and visitors, which affect nobody else.

One module for each theme, one test for each case. A test makes the attack, looks at its outcome,
and then shows that nothing else has changed: `unchanged` of `conftest.py` compares what the server
has and runs before and after. Attackers use the servers, users and probes of `tests/e2e`, whose
`probe` is the attacker's app and `neighbour` the victim's. Wait for events, and bound what a test
opens or sends: all of these together take less than a minute.
"""

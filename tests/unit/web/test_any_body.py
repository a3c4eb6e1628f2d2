"""Whatever a client sends, the API answers with JSON, and never with an internal error."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.world import World
from tests.unit.web.api_world import Api
from tests.unit.web.test_routes import PARTS, ROUTES

CHANGING = [route for route in ROUTES if route.startswith(("POST", "PATCH", "PUT"))]
# Names that endpoints know, so that what is in them is looked at.
NAMES = sorted(
    {
        *("acm_refresh", "addon", "app", "attach", "attachment", "build_stack", "buildpacks"),
        *("certificate_chain", "command", "config", "confirm", "description", "dyno", "env"),
        *("expires_in", "force_no_tty", "hostname", "lines", "maintenance", "name", "plan"),
        *("private_key", "public_key", "quantity", "region", "release", "scope", "size"),
        *("slug", "sni_endpoint", "source", "source_blob", "stack", "tail", "type"),
        *("updates", "url", "user"),
    }
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(["shop", "web", "web=2", "v1", "../x", "\0", "\ud800", "1" * 30, "a.b"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4) | VALUES


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """Alice has deployed an app."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.user("alice")
        world.app("shop", world.actor("alice"))
        world.push()
        yield Api(world)


@pytest.mark.parametrize("route", CHANGING)
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=BODIES)
def test_any_body(api: Api, route: str, body: object) -> None:
    """As it would be of a client with a bug, or of somebody who looks for one."""
    method, _, path = route.partition(" ")
    for part, text in PARTS.items():
        path = path.replace(part, text)
    path = re.sub("<[a-z_]+>", "none", path)
    answer = api.ask(method, path, body)
    assert answer.status_code < 500, (route, body, answer.text)
    assert answer.is_json or not answer.data

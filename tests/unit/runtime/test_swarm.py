"""Instances on nodes: their services, and what Swarm's tasks say of them."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from paas.adapters.runtime.swarm.present import placed
from paas.adapters.runtime.swarm.specs import (
    Service,
    literally,
    node_of,
    published_ports,
    reserved_mib,
    service_name,
    service_spec,
)
from paas.adapters.runtime.swarm.tasks import by_instance, is_fetched, state_of, was_killed
from paas.domain.cluster.placement import Placed
from paas.domain.releases.artifacts import Artifact, Image
from paas.domain.releases.releases import Instance, State
from paas.domain.runtime.workloads import Limits, Workload
from paas.domain.values.names import ProcessType
from paas.domain.values.secret import Secret

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
NODES = {"n1": {"Status": {"State": "ready"}, "Description": {"Hostname": "web-2"}}}
DOWN = {"n1": {"Status": {"State": "down"}, "Description": {"Hostname": "web-2"}}}
UNKNOWN = {"n1": {"Status": {"State": "unknown"}, "Description": {"Hostname": "web-2"}}}


def an_instance(kind: str = "web", number: int = 1) -> Instance:
    """Of roll-out 9."""
    return Instance(12, 5, 9, ProcessType(kind), number, None)


def a_service(**changed: Any) -> Service:
    """That of web.1."""
    workload = Workload(
        group="12-v5-9",
        label="web.1",
        uid=94_012,
        argv=(),
        env={},
        binds=(),
        limits=Limits(memory_mib=64, processes=50, open_files=512, scratch_mib=16, cpu_milli=500),
        ports=(20_001,),
        artifact=Artifact(Path("/nowhere"), Image("sha256:1"), on_nodes=True),
        app_id=12,
    )
    fields: dict[str, Any] = {
        "server": "/srv",
        "workload": workload,
        "node_id": "n1",
        "image": "a/b@sha256:2",
        "user": "",
        "env": {},
        "port": 5_000,
        "memory_mib": 64,
        "stop_limit_s": 30.0,
    }
    return Service(**{**fields, **changed})


def a_task(
    number: int,
    state: str,
    *,
    desired: str = "running",
    code: int | None = None,
    err: str | None = None,
    age_s: float = 60.0,
    label: str = "web.1",
) -> dict[str, Any]:
    """As the manager lists one."""
    then = (NOW - timedelta(seconds=age_s)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    status: dict[str, Any] = {"State": state, "Timestamp": then}
    if err is not None:
        status["Err"] = err
    if code is not None:
        status["ContainerStatus"] = {"ContainerID": "c1", "ExitCode": code}
    return {
        "ID": f"t{number}",
        "Version": {"Index": number},
        "CreatedAt": then,
        "NodeID": "n1",
        "ServiceID": "s1",
        "DesiredState": desired,
        "Status": status,
        "Spec": {
            "ContainerSpec": {"Labels": {"paas.group": "12-v5-9", "paas.instance": label}},
            "Placement": {"Constraints": ["node.id==n1"]},
            "Resources": {"Reservations": {"MemoryBytes": 64 << 20}},
        },
    }


FAILED = a_task(1, "failed", desired="shutdown", code=3, err="task: non-zero exit (3)")


@pytest.mark.parametrize(
    ("tasks", "state", "exits", "reason"),
    [
        ([a_task(1, "running", code=0)], State.UP, 0, None),
        ([a_task(1, "preparing")], State.STARTING, 0, None),
        ([a_task(1, "starting", code=0, age_s=5)], State.STARTING, 0, None),
        # It waits for a HEALTHCHECK, and runs.
        ([a_task(1, "starting", code=0, age_s=11)], State.UP, 0, None),
        ([FAILED, a_task(2, "ready", desired="ready")], State.CRASHED, 1, "exited with status 3"),
        ([FAILED, a_task(2, "starting", age_s=1)], State.CRASHED, 1, "exited with status 3"),
        ([FAILED, a_task(2, "running", code=0)], State.UP, 1, "exited with status 3"),
        ([a_task(1, "complete", code=0)], State.CRASHED, 1, "exited with status 0"),
        ([a_task(1, "pending", err="no suitable node (x)", age_s=5)], State.STARTING, 0, None),
        (
            [a_task(1, "pending", err="no suitable node (x)", age_s=11)],
            *(State.CRASHED, 0, "could not be started: no suitable node (x)"),
        ),
        (
            [a_task(1, "pending", err="no suitable node (insufficient resources on 1 node)")],
            *(State.CRASHED, 0, "could not be started: its node no longer has the memory that "),
        ),
        (
            [a_task(1, "rejected", err="No such image: a/b@sha256:2")],
            *(State.CRASHED, 1, "could not be started: its node cannot get its image from the "),
        ),
        (
            [a_task(1, "failed", code=128, err="starting: bind: address already in use")],
            *(State.CRASHED, 1, "could not be started: another program on its node uses its port"),
        ),
        (
            [a_task(1, "failed", code=137, err="task: non-zero exit (137)")],
            *(State.CRASHED, 1, "killed by SIGKILL (probably out of memory: the limit is 64 MiB)"),
        ),
        (
            [a_task(1, "failed", code=137, err="task: non-zero exit (137): unhealthy container")],
            *(State.CRASHED, 1, "was found unhealthy by the image's HEALTHCHECK"),
        ),
        (
            [a_task(1, "failed", code=143, err="task: non-zero exit (143)")],
            *(State.CRASHED, 1, "killed by SIGTERM"),
        ),
        # It is about to be replaced.
        ([a_task(1, "running", desired="shutdown", code=0)], State.STARTING, 0, None),
    ],
)
def test_what_an_instance_does(
    tasks: list[dict[str, Any]], state: State, exits: int, reason: str | None
) -> None:
    """By its tasks, of which the last one counts; how the former ended is reported."""
    found = state_of(tasks, NODES, NOW)
    assert (found.state, found.exits, found.pid) == (state, exits, None)
    assert (found.exit_reason or "").startswith(reason or "")
    assert (found.exit_reason is None) is (reason is None)


def test_memory_is_told_by_its_code() -> None:
    """Only where it is limited, and not for what was asked to end."""
    killed = a_task(1, "failed", code=137, err="task: non-zero exit (137)")
    assert (state_of([killed], NODES, NOW).exit_status, state_of([killed], NODES, NOW).error) == (
        *(-9, "R15"),
    )
    unlimited = {**killed, "Spec": {**killed["Spec"], "Resources": {}}}
    assert state_of([unlimited], NODES, NOW).exit_reason == "killed by SIGKILL"
    assert state_of([a_task(1, "shutdown", code=137)], NODES, NOW).error is None


def test_a_node_that_is_lost() -> None:
    """Whatever its tasks say; a manager that was just started does not know the others yet."""
    tasks = [a_task(1, "running", desired="shutdown", code=0), a_task(2, "pending", err="no node")]
    lost = state_of(tasks, DOWN, NOW)
    assert (lost.state, lost.exits) == (State.CRASHED, 0)
    assert lost.exit_reason == "lost its node web-2, which is down"
    assert state_of(tasks, {}, NOW).exit_reason == "lost its node, which was removed"
    assert state_of([a_task(1, "running", code=0)], UNKNOWN, NOW).state is State.UP


@pytest.mark.parametrize(
    ("tasks", "waited_s", "fetched"),
    [
        ([], 1.0, False),
        ([], 11.0, True),
        ([a_task(1, "pending", err="no suitable node (x)")], 1.0, False),
        ([a_task(1, "pending", err="no suitable node (x)")], 11.0, True),
        ([a_task(1, "preparing")], 300.0, False),
        ([{**a_task(1, "preparing"), "NodeID": "n2"}], 1.0, True),
        ([FAILED, a_task(2, "preparing")], 1.0, False),
        ([a_task(1, "starting")], 0.1, True),
        ([a_task(1, "running", code=0)], 0.1, True),
        ([a_task(1, "rejected", err="No such image: x")], 0.1, True),
    ],
)
def test_whether_a_node_has_the_image(
    tasks: list[dict[str, Any]], waited_s: float, fetched: bool
) -> None:
    """A node that does not answer is not waited for."""
    assert is_fetched(tasks, NODES, waited_s) is fetched


def test_tasks_are_sorted_by_their_age() -> None:
    """Those of services that were removed are left out."""
    tasks = [
        *(a_task(9, "running"), FAILED, a_task(3, "running", desired="remove", label="web.2")),
        a_task(4, "running", label="worker.1"),
    ]
    found = by_instance(tasks)
    assert {id: [task["ID"] for task in each] for id, each in found.items()} == {
        "12-v5-9-web.1": ["t1", "t9"],
        "12-v5-9-worker.1": ["t4"],
    }


def test_who_was_killed() -> None:
    """Of those that were asked to end; who crashed by itself was not."""
    assert was_killed(a_task(1, "shutdown", desired="remove", code=137))
    assert not was_killed(a_task(1, "shutdown", desired="remove", code=143))
    assert not was_killed(a_task(1, "failed", code=137))
    assert not was_killed(a_task(1, "running", code=137))


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("plain }} text", "plain }} text"),
        ("{{.Node.Hostname}}", '{{"{{"}}.Node.Hostname}}'),
        ("{{{", '{{"{{"}}{'),
        ("{{{{", '{{"{{"}}{{"{{"}}'),
        ("{ {", "{ {"),
    ],
)
def test_a_value_is_no_template(text: str, sent: str) -> None:
    """What would begin an action becomes an action that prints just that."""
    assert literally(text) == sent


def test_names_are_those_of_ids_where_that_is_possible() -> None:
    """Else they end with a hash, and begin with the group all the same."""
    assert service_name(an_instance()) == "12-v5-9-web-1"
    kinds = ["w" * 63, "w" * 62 + "x", "Web", "WEB", "web_1", "web-1", "a" * 30 + "_" * 30]
    names = [service_name(an_instance(kind)) for kind in kinds]
    assert len({name.lower() for name in names}) == len(kinds)
    for name in names:
        assert re.fullmatch(r"12-v5-9-[A-Za-z0-9](?:[-_]*[A-Za-z0-9]+)*", name)
        assert len(name) <= 63


def test_what_is_read_back_of_a_service() -> None:
    """Where it is, what is reserved for it, and how it is reached."""
    spec = service_spec(a_service())
    created = {"TaskTemplate": spec["task_template"], "EndpointSpec": spec["endpoint_spec"]}
    assert (node_of(created), reserved_mib(created)) == ("n1", 64)
    assert node_of({"Placement": {"Constraints": ["node.role==worker"]}}) == ""
    assert published_ports(created) == {5_000: 20_001}
    assert service_spec(a_service(port=None))["endpoint_spec"]["Ports"] == []


def test_secrets_are_where_they_must_be_alone() -> None:
    """A service's labels and name have none of them."""
    spec = service_spec(a_service(env={"KEY": Secret("a{{b")}))
    assert spec["task_template"]["ContainerSpec"].pop("Env") == ['KEY=a{{"{{"}}b']
    assert "a{{" not in str(spec)


def test_a_read_only_service_has_a_volume_for_app() -> None:
    """Filled with what the image has there; others have /tmp alone."""

    def targets(wanted: Service) -> list[str]:
        container: Mapping[str, Any] = service_spec(wanted)["task_template"]["ContainerSpec"]
        return [mount["Target"] for mount in container["Mounts"]]

    plain = a_service()
    assert targets(plain) == ["/tmp"]
    assert targets(replace(plain, workload=replace(plain.workload, read_only=True))) == [
        *("/tmp", "/app")
    ]


def test_what_nodes_have_is_counted_once() -> None:
    """A service with its task, one that is only just ending, and what is not ours."""
    labels = {"paas.group": "12-v5-9", "paas.instance": "web.1", "paas.app": "12"}
    template = a_task(1, "running")["Spec"]
    service = {"ID": "s1", "Spec": {"Labels": labels, "TaskTemplate": template}}
    ending = {**a_task(2, "running", desired="remove"), "ServiceID": "s0"}
    ending["Spec"]["ContainerSpec"]["Labels"]["paas.server"] = "/srv"
    foreign = {**a_task(3, "running"), "ServiceID": "s2"}
    tasks = [
        *(a_task(1, "running"), ending, foreign),
        {**a_task(4, "failed"), "ServiceID": "s2"},
        {**a_task(5, "pending"), "ServiceID": "s2", "NodeID": ""},
    ]

    def found(app_id: int, keep: set[str]) -> list[Placed]:
        return list(placed({"12-v5-9-web.1": service}, tasks, "/srv", app_id, keep))

    web = Placed("12-v5-9-web.1", "n1", 64, 12, ProcessType("web"), stays=False)
    others = [Placed("t2", "n1", 64, stays=False), Placed("t3", "n1", 64)]
    assert found(12, set()) == [web, *others]
    assert [one.stays for one in found(12, {web.id})] == [True, False, True]
    assert [one.stays for one in found(13, set())] == [True, False, True]


def test_an_instance_finds_its_datastores() -> None:
    """By name, as Swarm writes it: the address comes first."""
    spec = service_spec(a_service(hosts={"postgresql-a-1.paas.internal": "10.0.0.1"}))
    hosts = spec["task_template"]["ContainerSpec"]["Hosts"]
    assert hosts == ["10.0.0.1 postgresql-a-1.paas.internal"]

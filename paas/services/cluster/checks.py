"""What is wrong with a cluster: each machine is asked, and the registry from which nodes pull."""

from collections.abc import Iterator

from paas.domain.cluster.joining import ServerFacts, mismatches
from paas.domain.cluster.nodes import ClusterReport, Node, NodeReport, NodeState
from paas.domain.values.errors import PaasError
from paas.interfaces import ImageRegistry, NodeMachines


def problems(
    found: ClusterReport, machines: NodeMachines, registry: ImageRegistry
) -> Iterator[tuple[str, str]]:
    """All, each with the node's name. On the way, nodes get the registry's address and CA."""
    members = [*(one.node.id for one in found.nodes), *(one.id for one in found.strangers)]
    server = machines.server(found.address, members)
    for stranger in found.strangers:
        yield stranger.hostname, "is a member of the swarm, but was not added here"
    try:
        registry.check()
    except PaasError as error:
        yield "server", error.summary
    for one in found.nodes:
        for problem in _of_node(one, server, machines, registry):
            yield one.node.name, problem


def _of_node(
    one: NodeReport, server: ServerFacts, machines: NodeMachines, registry: ImageRegistry
) -> Iterator[str]:
    if one.state is NodeState.GONE:
        yield "is not known to the swarm; remove it, and add it again"
    elif one.state is NodeState.DOWN:
        yield "does not answer the manager"
    try:
        facts = machines.facts(one.node.login)
    except PaasError as error:
        yield error.summary
        return
    yield from mismatches(server, facts)
    if not facts.engine:
        yield "its Docker does not run"
    elif (why := _no_images(one.node, machines, registry)) is not None:
        yield f"cannot pull images from the server: {why}"
    if facts.address != one.node.address:
        yield f"has the address {facts.address}, but was added as {one.node.address}"


def _no_images(node: Node, machines: NodeMachines, registry: ImageRegistry) -> str | None:
    """Why a node cannot pull images; None: it can."""
    try:
        machines.trust(node.login, registry.host(), registry.authority())
        machines.try_registry(node.login, registry.host(), *registry.login())
    except PaasError as error:
        return error.context[-1] if error.context else error.summary
    return None

"""A participant that looks at a graph from outside: which nodes are there, which are active."""

from __future__ import annotations

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from guda_ros.ros.executor import QuietExecutor
from guda_ros.ros.graph.names import RosNames, USUAL_NAMES
from guda_ros.ros.graph.table import NodeSpec


class GraphMonitor:
    """
    A node of this process in a domain, in a context of its own, spun by hand.

    :param names: of the graph: its namespace and remaps are this node's, too.
    """

    def __init__(
        self, domain: int, name: str = '_guda_watch', names: RosNames = USUAL_NAMES
    ) -> None:
        self.context = Context()
        rclpy.init(
            context=self.context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO
        )
        self.node = Node(
            name,
            context=self.context,
            cli_args=names.arguments,
            enable_rosout=False,
            start_parameter_services=False,
        )
        self._executor = QuietExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._clients = {}
        self._states = {}

    def spin(self, seconds: float) -> None:
        """Handle what arrives, for at most `seconds`."""
        self._executor.spin_once(timeout_sec=seconds)

    def names(self) -> set[str]:
        """Return the names of all nodes that are visible."""
        return set(self.node.get_node_names())

    def _paths(self) -> set[str]:
        return {
            f'{namespace.rstrip("/")}/{name}'
            for name, namespace in self.node.get_node_names_and_namespaces()
        }

    def state(self, spec: NodeSpec) -> str:
        """Return 'ready' or what a node lacks."""
        path = f'{spec.names.prefix}/{spec.name}'
        if path not in self._paths():
            return 'not seen'
        if not spec.lifecycle or not spec.parameters.get('autostart', True):
            return 'ready'
        if spec.name not in self._clients:
            self._clients[spec.name] = self.node.create_client(GetState, f'{path}/get_state')
        client, answer = self._clients[spec.name], self._states.get(spec.name)
        if answer is not None and answer.done():
            del self._states[spec.name]
            state = answer.result().current_state
            return 'ready' if state.id == State.PRIMARY_STATE_ACTIVE else state.label
        if answer is None and client.service_is_ready():
            self._states[spec.name] = client.call_async(GetState.Request())
        return 'not active yet'

    def close(self) -> None:
        """Leave the domain."""
        if self.context.ok():
            self._executor.shutdown()
            self.node.destroy_node()
            rclpy.shutdown(context=self.context)

"""An exported policy drives the simulated robot on what perception sees, for `ros2 launch`."""

from guda_ros.ros.graph.launching import describe_graph


def generate_launch_description():
    """Return the graph `evaluate` of guda_ros.ros.graph.table."""
    return describe_graph('evaluate')

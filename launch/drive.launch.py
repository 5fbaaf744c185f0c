"""A person drives the simulated robot and records episodes, for `ros2 launch`."""

from guda_ros.ros.graph.launching import describe_graph


def generate_launch_description():
    """Return the graph `drive` of guda_ros.ros.graph.table."""
    return describe_graph('drive')

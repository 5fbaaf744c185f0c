"""A robot in the simulator in real time, driven by gamepad or policy, for `ros2 launch`."""

from guda_ros.ros.graph.launching import describe_graph


def generate_launch_description():
    """Return the graph `simulation` of guda_ros.ros.graph.table."""
    return describe_graph('simulation')

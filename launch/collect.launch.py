"""A scripted operator drives the simulated robot, and episodes are recorded, for `ros2 launch`."""

from guda_ros.ros.graph.launching import describe_graph


def generate_launch_description():
    """Return the graph `collect` of guda_ros.ros.graph.table."""
    return describe_graph('collect')

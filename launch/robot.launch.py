"""Everything that runs on a robot; its driver brings camera and odometry, for `ros2 launch`."""

from guda_ros.ros.graph.launching import describe_graph


def generate_launch_description():
    """Return the graph `robot` of guda_ros.ros.graph.table."""
    return describe_graph('robot')

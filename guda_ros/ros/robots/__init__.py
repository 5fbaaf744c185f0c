"""How each kind of robot is spoken to over ROS: what guda_ros.robots says, in its messages."""

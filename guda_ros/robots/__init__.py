"""What makes of a safe velocity command what a robot hears, without ROS and its messages."""

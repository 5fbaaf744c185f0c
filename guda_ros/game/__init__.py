"""The game controller's protocol, what it asks of a robot, and a practice match; without ROS."""

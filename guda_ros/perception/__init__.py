"""Camera model, ball detection, tracking and localisation; no ROS."""

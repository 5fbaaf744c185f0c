"""A camera's lens from pictures of a board, and its place on the robot from what lies around."""

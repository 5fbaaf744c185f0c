"""What the simulator node is made of: robots, topics, lock-step, real time."""

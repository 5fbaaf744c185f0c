"""The soccer world in NumPy: field, robot, world state, observations, starts, rewards."""

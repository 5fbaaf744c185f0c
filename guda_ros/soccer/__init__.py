"""The soccer world in plain NumPy: field, robot profile, world state, observations, starts, rewards."""

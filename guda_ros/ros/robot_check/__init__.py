"""Whether a robot's driver fits: what a graph is like, as a snapshot, and what that means."""

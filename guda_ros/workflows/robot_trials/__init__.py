"""Trials on a robot, or on a simulated one that takes its place, by a person who judges them."""

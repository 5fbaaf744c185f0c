"""Mazes of Gymnasium-Robotics as tasks: point and ant."""

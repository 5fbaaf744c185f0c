"""Calibrate a robot's cameras: board, lens, mount."""

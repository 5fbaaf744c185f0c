"""Recordings (MCAP): written while the robot runs, read, judged and repaired."""

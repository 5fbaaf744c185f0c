"""Graphs of nodes: the table of them, their processes, their surroundings."""

"""Teach a real soccer robot a skill from a handful of demonstrations (GuDA on ROS 2)."""

__version__ = '0.1.0'

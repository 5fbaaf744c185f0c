"""Rollouts over fixed starts, statistics, pictures and reports."""

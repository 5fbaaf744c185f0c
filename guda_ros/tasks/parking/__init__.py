"""Parking a car (highway-env) as a task."""

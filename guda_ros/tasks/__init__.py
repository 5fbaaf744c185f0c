"""
The shipped tasks: for each its reward, kinds of rules and, where it has one, its demonstrator.

Beside them what several tasks share: tasks whose world is their states, with their environments.
"""

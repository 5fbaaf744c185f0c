"""What states are worth under the task's own reward, found from a recording."""

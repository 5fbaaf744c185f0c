"""Values of states under the task's own reward, found from a recording."""

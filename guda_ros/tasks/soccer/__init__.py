"""The robots' own task: push the ball into the goal, in the twin and on the field."""

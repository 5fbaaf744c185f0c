"""Say what there is: in files, in a policy, and in this installation."""

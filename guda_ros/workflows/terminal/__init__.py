"""What verbs and scripts share at a terminal: kinds of arguments, tables."""

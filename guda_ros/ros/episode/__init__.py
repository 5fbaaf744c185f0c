"""Episodes in a graph of nodes: announced, run, refereed and replayed."""

"""What the nodes share: messages, QoS, parameters, the table of graphs and their processes."""

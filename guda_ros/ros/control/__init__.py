"""Parameters, messages and topics of what guda_ros.control decides: safety, teleop, kick, head."""

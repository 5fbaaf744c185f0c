"""What a person and a robot tell each other: gamepad, kick, head, limits."""

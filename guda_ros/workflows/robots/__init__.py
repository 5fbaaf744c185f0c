"""Robot profiles: made from another one, and drawn."""

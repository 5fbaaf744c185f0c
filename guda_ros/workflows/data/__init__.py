"""What the actions of `guda data` do: check, change, exchange and replay what was recorded."""

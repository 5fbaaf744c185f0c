"""The `guda` command."""

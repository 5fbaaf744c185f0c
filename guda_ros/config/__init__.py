"""YAML files: found, read, checked and written back."""

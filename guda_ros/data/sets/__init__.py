"""Data sets (Minari): written, read, checked, selected and edited."""

"""Benchmarks: algorithms by augmentations by seeds, in cells that resume."""

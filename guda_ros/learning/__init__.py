"""Offline learning in PyTorch and the export of policies."""

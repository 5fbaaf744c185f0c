"""The contract, recordings, episodes and data sets."""

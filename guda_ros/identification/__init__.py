"""A robot profile from a recorded drive: protocol, fits, figures."""

"""The paper's simulated soccer task."""

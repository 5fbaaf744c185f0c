"""The paper's physical task in the authors' own environment."""

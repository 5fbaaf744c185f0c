"""What `guda perceive` does: look at pictures, judge and train the ball networks."""

"""What the data collector shows and asks: parameters, screen, live augmentation."""

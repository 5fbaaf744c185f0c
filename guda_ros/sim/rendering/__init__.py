"""The world in pictures: figures, scenery, cameras, the OpenGL behind them."""

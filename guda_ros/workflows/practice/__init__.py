"""What a practice match needs beside the robots."""

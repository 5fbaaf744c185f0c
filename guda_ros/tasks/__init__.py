"""What ties a task together: its demonstrator and how its data are augmented."""

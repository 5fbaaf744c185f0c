"""What `guda demo` does beside recording: trainings and evaluations as jobs, and its page."""

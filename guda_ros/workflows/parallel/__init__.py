"""Work in several processes: jobs, and trainings of variants that are made of them."""

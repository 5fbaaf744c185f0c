"""The world without pictures: model, walk, odometry, sensors, randomisation, batches."""

"""What makes a classifier's probabilities true: images of the hospital's own with their classes."""

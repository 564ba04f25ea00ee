"""Segmentation networks: from images and masks to a model folder of `serving.vision`."""

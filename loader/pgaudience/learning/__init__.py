"""Vectors that are learned from what people have, or were made elsewhere, instead of made of texts by a model."""

from pgaudience.learning.blend import check_parts
from pgaudience.learning.given import Given, store_vectors
from pgaudience.learning.growth import training_due
from pgaudience.learning.train import Trained, learn, train

__all__ = ["Given", "Trained", "check_parts", "learn", "store_vectors", "train", "training_due"]

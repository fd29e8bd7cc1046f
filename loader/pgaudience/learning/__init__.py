"""Vectors that are learned from what people have, instead of made of texts by a model."""

from pgaudience.learning.growth import training_due
from pgaudience.learning.train import Trained, learn, train

__all__ = ["Trained", "learn", "train", "training_due"]

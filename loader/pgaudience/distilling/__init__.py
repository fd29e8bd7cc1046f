"""The token table: words and pieces of words whose vectors add up to those of the space's model, nearly."""

from pgaudience.distilling.growth import distillation_due
from pgaudience.distilling.token_table import distill, distillation_cost
from pgaudience.distilling.turns import others_turn

__all__ = ["distill", "distillation_cost", "distillation_due", "others_turn"]

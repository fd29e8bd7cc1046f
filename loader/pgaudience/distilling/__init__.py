"""The token table: words and pieces of words whose vectors add up to those of the space's model, nearly."""

from pgaudience.distilling.token_table import distill, distillation_cost

__all__ = ["distill", "distillation_cost"]

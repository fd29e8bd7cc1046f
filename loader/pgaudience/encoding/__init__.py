"""The space's model inside PostgreSQL: reading it from its folder, and storing it where SQL runs it."""

from pgaudience.encoding.model import CannotRun, EncoderModel, read_model, source_digest
from pgaudience.encoding.store import encoder_state, ensure_encoder, has_encoder, runnable_model

__all__ = [
    "CannotRun",
    "EncoderModel",
    "encoder_state",
    "ensure_encoder",
    "has_encoder",
    "read_model",
    "runnable_model",
    "source_digest",
]

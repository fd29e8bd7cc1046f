"""Words of a chat model: what segments are, and what entries mean."""

from pgaudience.wording.chat import ChatModel
from pgaudience.wording.describing import Described, Question, describe_segments, questions

__all__ = ["ChatModel", "Described", "Question", "describe_segments", "questions"]

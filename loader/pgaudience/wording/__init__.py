"""Words of a chat model: what segments are, and what entries mean."""

from pgaudience.wording.chat import ChatModel
from pgaudience.wording.describing import Described, Question, describe_segments, questions
from pgaudience.wording.enriching import Enriched, Plan, enrich_entries, plan, planned_prompts
from pgaudience.wording.glossary import read_glossary, spell_out
from pgaudience.wording.templates import proposed_template

__all__ = [
    "ChatModel",
    "Described",
    "Enriched",
    "Plan",
    "Question",
    "describe_segments",
    "enrich_entries",
    "plan",
    "planned_prompts",
    "proposed_template",
    "questions",
    "read_glossary",
    "spell_out",
]

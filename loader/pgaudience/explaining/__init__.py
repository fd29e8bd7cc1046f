"""What the attributes of users say of a segmentation: rules in words, and what each attribute adds."""

from pgaudience.explaining.importance import Importance, importances
from pgaudience.explaining.people import People, read_people, require_scikit_learn
from pgaudience.explaining.rules import Rule, Rules, fit_rules

__all__ = [
    "Importance",
    "People",
    "Rule",
    "Rules",
    "fit_rules",
    "importances",
    "read_people",
    "require_scikit_learn",
]

"""Audiences as files: who is in, or who came and left, with attributes, for a CRM or an ad platform."""

from pgaudience.exporting.contacts import Contacts
from pgaudience.exporting.export import Exported, export_audience

__all__ = ["Contacts", "Exported", "export_audience"]

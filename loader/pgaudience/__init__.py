"""Audiences in plain SQL: load what people did, embed each distinct text once, search users inside PostgreSQL."""

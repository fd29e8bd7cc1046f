"""Turning texts into vectors: the providers that compute them, and the step that stores them."""

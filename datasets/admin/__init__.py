"""The operators' pages about datasets: one noun a file."""

from . import datasets, deletions, ingests, studies, uploads, users, vault

__all__ = ["datasets", "deletions", "ingests", "studies", "uploads", "users", "vault"]

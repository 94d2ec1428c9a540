"""The operators' pages about datasets: one noun a file."""

from . import datasets, deletions, gallery, ingests, studies, uploads, users, vault

__all__ = ["datasets", "deletions", "gallery", "ingests", "studies", "uploads", "users", "vault"]

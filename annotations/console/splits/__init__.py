"""Saved splits: a card of the annotation data's page, the page that makes one, and what is done with one."""

"""Predictions read image by image and compared with the ground truth: ``reading``, ``judging``, and ``work`` that does
both under a lease. Nothing is compared in the database: what a prediction is worth says ``usage.measures``."""

from .work import cancel_under, due, resume_under, run

__all__ = ["cancel_under", "due", "resume_under", "run"]

"""DeepCap: the project. Knows every room, is known by none."""

from .celery import app as celery_app

__all__ = ["celery_app"]

"""``{% load usage_display %}``: how states look."""

from django import template

register = template.Library()

TONES = {
    "finished": "status-ok",
    "running": "status-busy",
    "publishing": "status-busy",
    "in_progress": "status-busy",
    "ongoing": "status-busy",
    "stopped": "status-warn",
    "error": "status-bad",
}


@register.filter
def tone(status: str) -> str:
    """Return the class of a status' colour; none for what waits."""
    return TONES.get(status, "")


@register.filter
def percent_of(part: int, whole: int) -> int:
    """Return ``part`` of ``whole`` in per cent, rounded down: 100 is said only when all is done."""
    return part * 100 // whole if whole else 0


@register.filter
def percentage(share: float) -> str:
    """Return a share of 1 in per cent: "91.5%"."""
    return f"{share * 100:.4g}%"

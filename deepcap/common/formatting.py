"""Numbers and dates as people read them."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _


def size(count: int) -> str:
    """Bytes with at most two decimals: "0 KB", "510.31 KB", "22.2 MB", "245.76 MB" (1 KB = 1024 bytes)."""
    value, unit = count / 1024, "KB"
    for larger in ("MB", "GB", "TB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.2f}".rstrip("0").rstrip(".") + f" {unit}"


def day(moment: datetime) -> str:
    """ "Today", "Yesterday", otherwise "Jul 30, 2022"."""
    date, today = timezone.localtime(moment).date(), timezone.localdate()
    if date == today:
        return _("Today")
    if (today - date).days == 1:
        return _("Yesterday")
    return date_format(date, "M j, Y")


def duration(seconds: float) -> str:
    """A remaining time: "8 sec", "5 min", "2 h 10 min"."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return _("%(n)d sec") % {"n": seconds}
    minutes = round(seconds / 60)
    if minutes < 60:
        return _("%(n)d min") % {"n": minutes}
    return _("%(h)d h %(m)d min") % {"h": minutes // 60, "m": minutes % 60}

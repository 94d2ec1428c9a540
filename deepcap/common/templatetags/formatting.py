"""``{% load formatting %}``: sizes, days and durations in templates."""

from django import template

from deepcap.common import formatting

register = template.Library()
register.filter("size", formatting.size)
register.filter("day", formatting.day)
register.filter("duration", formatting.duration)

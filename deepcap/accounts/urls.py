"""The bell of the console, below ``/notifications/``."""

from django.urls import path

from .console import BellState, NotificationsPanel, NotificationsRead

urlpatterns = [
    path("", NotificationsPanel.as_view(), name="notifications"),
    path("read/", NotificationsRead.as_view(), name="notifications-read"),
    path("bell/", BellState.as_view(), name="notifications-bell"),
]

"""The bell of this room: mails that wait are sent."""

from celery import shared_task

from .mail import people_to_mail, send_mail


@shared_task
def send_mail_to(user_id: int) -> None:
    """Send a person what is to be said to them; a second delivery finds nothing."""
    send_mail(user_id)


@shared_task
def sweep_mails() -> None:
    """Send again what could not be sent."""
    for user_id in people_to_mail():
        send_mail(user_id)

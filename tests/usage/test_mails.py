"""Who is affected by a deletion is told under the bell and by one e-mail, which names nothing that is somebody's."""

from __future__ import annotations

from unittest import mock

import pytest
from django.core import mail
from django.utils import timezone

from datasets.services.deletions import delete_dataset
from deepcap.accounts.mail import GIVEN_UP, people_to_mail
from deepcap.accounts.models import Notification, User
from deepcap.accounts.tasks import send_mail_to, sweep_mails
from tests.builders import make_study
from usage.models import AnnotationJob
from usage.services.deletions import delete_usage

from .builders import make_inference, make_labelled, make_project, make_training, train

pytestmark = pytest.mark.django_db


@pytest.fixture
def member(db):
    return User.objects.create_user("mary", "mary@example.org", first_name="Mary")


@pytest.fixture
def sent(monkeypatch, django_capture_on_commit_callbacks):
    """Return what is mailed when something is done and committed: addresses and bodies."""

    def doing(do):
        asked = []
        with mock.patch.object(send_mail_to, "delay", asked.append), django_capture_on_commit_callbacks(execute=True):
            do()
        mail.outbox = []
        for user_id in asked:
            send_mail_to(user_id)
        return {message.to[0]: message.body for message in mail.outbox}

    return doing


def test_a_member_of_two_projects_gets_one_mail_without_names(sent, user, member):
    User.objects.filter(pk=user.pk).update(email="ada@example.org")
    dataset, _data = make_labelled(user, name="DOE^JANE")
    make_study(dataset, 7)
    for number in range(2):
        make_project(dataset, annotators=[member], publish=True, name=f"Project DOE^JANE {number}")
    mails = sent(lambda: delete_dataset(dataset=dataset, by=user, confirmation="DELETE"))
    assert mails.keys() == {"mary@example.org"}
    assert len(mail.outbox) == 1
    [body] = mails.values()
    assert "An annotation project that you work in was deleted, and your jobs in it. (2 ×)" in body
    assert "Mary" in body
    assert "DOE" not in body + mail.outbox[0].subject
    texts = set(member.notifications.values_list("text", flat=True))
    assert texts == {f"The project Project DOE^JANE {number} was deleted, and your jobs in it." for number in range(2)}
    assert people_to_mail() == []


def test_the_person_of_a_job_that_is_deleted_is_told(sent, user, member):
    make_project(make_labelled(user)[0], annotators=[member], publish=True)
    mails = sent(lambda: delete_usage(row=AnnotationJob.objects.get(), by=user, confirmation="DELETE"))
    assert "An annotation job of yours was deleted." in mails["mary@example.org"]


def test_an_owner_is_told_what_an_operator_deletes_and_whose_inference_goes_with_a_model(sent, operator, member, user):
    dataset, data = make_labelled(user)
    task = train(make_training(data))
    elsewhere, _data = make_labelled(member)
    elsewhere_job = make_inference(train(make_training(_data)), elsewhere)
    type(elsewhere_job).objects.update(training_task=task)
    mails = sent(lambda: delete_dataset(dataset=dataset, by=operator, confirmation="DELETE"))
    assert mails.keys() == {"mary@example.org"}
    assert "An inference job on your data was deleted." in mails["mary@example.org"]
    assert user.notifications.filter(kind="dataset.deleted").count() == 1


def test_who_has_no_address_or_no_account_any_more_is_not_written_to(sent, user, other_user, member):
    User.objects.filter(pk=member.pk).update(is_active=False)
    project = make_project(make_labelled(user)[0], annotators=[member, other_user], publish=True)
    assert sent(lambda: delete_usage(row=project, by=user, confirmation="DELETE")) == {}
    assert other_user.notifications.count() == 1


def test_what_the_mail_server_does_not_take_is_sent_again_for_a_day_and_once(user, member):
    rows = [
        Notification.objects.create(user=member, kind="x", text="x", to_mail=sentence) for sentence in ("One.", "Two.")
    ]
    with mock.patch("django.core.mail.EmailMessage.send", side_effect=ConnectionRefusedError):
        sweep_mails()
    assert people_to_mail() == [member.pk]
    sweep_mails()
    send_mail_to(member.pk)
    assert [message.body.count("- ") for message in mail.outbox] == [2]
    Notification.objects.filter(pk=rows[0].pk).update(to_mail="Old.", created_at=timezone.now() - GIVEN_UP)
    sweep_mails()
    assert len(mail.outbox) == 1
    assert people_to_mail() == []

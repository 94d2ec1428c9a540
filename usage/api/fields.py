"""Fields that know who asks."""

from __future__ import annotations

from typing import Any

from django.db import models
from rest_framework import serializers

from datasets.models import Blob
from deepcap.accounts.models import User


class VisibleField(serializers.PrimaryKeyRelatedField):
    """The id of a row that the person who asks can see; any other does not exist."""

    def __init__(self, model: type[models.Model], **kwargs: Any) -> None:
        self.model = model
        super().__init__(queryset=model._default_manager.none(), **kwargs)

    def get_queryset(self) -> models.QuerySet:
        request = self.context.get("request")
        return self.model._default_manager.visible_to(request.user) if request else self.model._default_manager.none()


class UserField(serializers.SlugRelatedField):
    """A person by user name. Only registered, active people can be given work."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="username", queryset=User.objects.filter(is_active=True), **kwargs)


class FileSerializer(serializers.Serializer):
    """A file that a service handed in."""

    filename = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()


def file_of(blob: Blob | None, filename: str) -> dict[str, object] | None:
    return None if blob is None else {"filename": filename, "size": blob.size, "sha256": blob.digest}


class ClaimSerializer(serializers.Serializer):
    """What a service shows of the claim it was given; not needed for work that no service has claimed."""

    claim = serializers.CharField(required=False, default=None, allow_null=True)


class FileUploadSerializer(ClaimSerializer):
    file = serializers.FileField(allow_empty_file=True)


class ResultsUploadSerializer(FileUploadSerializer):
    file_format = serializers.ChoiceField(["coco", "csv"])


class HeartbeatSerializer(serializers.Serializer):
    claim = serializers.CharField()
    progress = serializers.IntegerField(required=False, min_value=0, max_value=100, help_text="Percent.")
    detail = serializers.CharField(required=False, allow_blank=True, max_length=500)


class HeartbeatAnswerSerializer(serializers.Serializer):
    """`cancelled`: the work was stopped or deleted, or has ended; leave off."""

    cancelled = serializers.BooleanField()
    status = serializers.CharField()
    lease_seconds = serializers.IntegerField(help_text="Report again well before that many seconds have passed.")


class ClaimRequestSerializer(serializers.Serializer):
    client_key = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="The same key is given the same work again."
    )


class AnnotationDataRequestSerializer(serializers.Serializer):
    """Without a file, the predictions or results that were handed in before.

    Boxes and masks become classes, masks boxes where another `annotation_type` is asked for. `labels` are those kept
    under their own names, by default all that are not merged; `merge` is `{new: [old, …]}`.
    """

    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    file = serializers.FileField(required=False)
    file_format = serializers.CharField(required=False, allow_blank=True)
    annotation_type = serializers.CharField(required=False, allow_blank=True)
    labels = serializers.ListField(child=serializers.CharField(max_length=200), required=False)
    merge = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), required=False)
    client_key = serializers.CharField(required=False, allow_blank=True, max_length=200)


class UsageImpactSerializer(serializers.Serializer):
    """What a deletion would take with it, the record included."""

    annotation_projects = serializers.IntegerField()
    annotation_jobs = serializers.IntegerField()
    training_tasks = serializers.IntegerField()
    inference_jobs = serializers.IntegerField()

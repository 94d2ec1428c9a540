"""``training-tasks/``: what is to be trained on which annotation data, and what the training service says of it."""

from __future__ import annotations

import math
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import Http404
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from annotations.models import AnnotationData, AnnotationType, Split
from datasets.api.streams import REVALIDATED, stored_file
from deepcap.accounts.models import Scope
from usage.models import DELETING, TrainingTask, WorkStatus
from usage.services.lists import training_tasks
from usage.services.requests import once
from usage.services.results import store_model
from usage.services.training_tasks import (
    Measurement,
    add_metrics,
    change_training_task,
    create_training_task,
    metrics_of,
    rename_training_task,
)

from .base import KEY_HEADER, ServiceWorkViewSet, UsageFilter, client_key, ordering_filter
from .fields import ClaimSerializer, FileSerializer, FileUploadSerializer, VisibleField, file_of

METRICS_AT_ONCE = 1_000
STATUSES = [choice for choice in WorkStatus.choices if choice[0] != DELETING]


class SplitOfTaskSerializer(serializers.ModelSerializer):
    """Each part is exported by `annotation-data/{id}/export/?split={id}&part={name}`."""

    parts = serializers.ListField(child=serializers.CharField(), source="part_names")

    class Meta:
        model = Split
        fields = ["id", "name", "seed", "by_patient", "stratified", "parts"]
        read_only_fields = fields


class TrainingTaskSerializer(serializers.ModelSerializer):
    dataset = serializers.IntegerField(source="annotation_data.dataset_id")
    annotation_data_name = serializers.CharField(source="annotation_data.name")
    created_by = serializers.CharField(source="created_by.username", default=None)
    status = serializers.ChoiceField(STATUSES)
    place_in_line = serializers.IntegerField(allow_null=True, help_text="From 1, while it waits.")
    split = SplitOfTaskSerializer(read_only=True, allow_null=True)
    model = serializers.SerializerMethodField()

    class Meta:
        model = TrainingTask
        fields = [
            "id",
            "name",
            "dataset",
            "annotation_data",
            "annotation_data_name",
            "annotation_type",
            "split",
            "architecture",
            "hyperparameters",
            "status",
            "status_detail",
            "progress",
            "place_in_line",
            "performance",
            "performance_metric",
            "curve",
            "model",
            "inference_job_count",
            "claimed_as",
            "created_by",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields

    @extend_schema_field(FileSerializer(allow_null=True))
    def get_model(self, task: TrainingTask) -> dict[str, object] | None:
        return file_of(task.model, task.model_filename)


class TrainingTaskCreateSerializer(serializers.Serializer):
    annotation_data = VisibleField(AnnotationData, required=False, allow_null=True, default=None)
    name = serializers.CharField()
    annotation_type = serializers.ChoiceField(AnnotationType.choices, required=False)
    split = VisibleField(Split, required=False, allow_null=True, help_text="What to train and test on.")
    architecture = serializers.CharField(required=False, allow_blank=True, max_length=100)
    hyperparameters = serializers.DictField(required=False)


class TrainingTaskChangeSerializer(ClaimSerializer):
    """`status` takes the task a step on; the rest belongs to the service, except `name`."""

    name = serializers.CharField(required=False)
    status = serializers.ChoiceField(STATUSES, required=False)
    status_detail = serializers.CharField(required=False, allow_blank=True, max_length=500)
    progress = serializers.IntegerField(required=False, min_value=0, max_value=100)
    performance = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=1)
    performance_metric = serializers.CharField(required=False, max_length=100)


class MetricSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=100)
    step = serializers.IntegerField(min_value=0, max_value=2**31 - 1)
    value = serializers.FloatField()

    def validate_value(self, value: float) -> float:
        if not math.isfinite(value):
            raise serializers.ValidationError("A value is a finite number.")
        return value


class MetricsSerializer(ClaimSerializer):
    metrics = MetricSerializer(many=True, max_length=METRICS_AT_ONCE)


class MetricCurvesSerializer(serializers.Serializer):
    """[step, value] in order of steps, by name."""

    metrics = serializers.DictField(child=serializers.ListField(child=serializers.ListField()))


class TrainingTaskFilter(UsageFilter):
    dataset = django_filters.NumberFilter(field_name="annotation_data__dataset")
    annotation_data = django_filters.NumberFilter(field_name="annotation_data")
    annotation_type = django_filters.MultipleChoiceFilter(choices=AnnotationType.choices)
    status = django_filters.MultipleChoiceFilter(choices=STATUSES)
    ordering = ordering_filter("created_at", "name", "status", "finished_at", "performance")

    class Meta:
        model = TrainingTask
        fields: list[str] = []


class TrainingTaskViewSet(ServiceWorkViewSet):
    queryset = TrainingTask.objects.none()
    serializer_class = TrainingTaskSerializer
    filterset_class = TrainingTaskFilter
    scope = Scope.TRAINING

    def get_queryset(self) -> QuerySet[TrainingTask]:
        return training_tasks(user=self.request.user)

    @extend_schema(
        request=TrainingTaskCreateSerializer, responses={201: TrainingTaskSerializer}, parameters=[KEY_HEADER]
    )
    def create(self, request: Request) -> Response:
        """Ask for a training. Annotation data are needed: there is nothing to learn from images alone."""
        form = self.valid(TrainingTaskCreateSerializer)
        task = once(
            user=request.user,
            action="training_task",
            key=client_key(request),
            make=lambda: create_training_task(by=request.user, **form),
            find=lambda pk: self.get_queryset().filter(pk=pk).first(),
        )
        return self.answer(task, status.HTTP_201_CREATED)

    @extend_schema(request=TrainingTaskChangeSerializer, responses=TrainingTaskSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Rename; report progress and performance; finish, fail (`error`) or stop."""
        task, form = self.get_object(), self.valid(TrainingTaskChangeSerializer)
        name = form.pop("name", None)
        if form.keys() - {"claim"}:
            change_training_task(training_task=task, by=request.user, **form)
        if name is not None:
            rename_training_task(training_task=task, by=request.user, name=name)
        return self.answer(task)

    @extend_schema(responses=MetricCurvesSerializer)
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def metrics(self, request: Request, pk: int) -> Response:
        """All values, by metric."""
        return Response({"metrics": metrics_of(training_task=self.get_object())})

    @extend_schema(request=MetricsSerializer, responses={200: MetricsSerializer})
    @metrics.mapping.post
    def add_metrics(self, request: Request, pk: int) -> Response:
        """Hand in values; one for the same metric and step replaces the one before."""
        task, form = self.get_object(), self.valid(MetricsSerializer)
        values = [Measurement(**metric) for metric in form["metrics"]]
        add_metrics(training_task=task, by=request.user, claim=form["claim"], metrics=values)
        return Response({"metrics": form["metrics"]})

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def model(self, request: Request, pk: int) -> HttpResponseBase:
        """The trained model, as the service handed it in."""
        task = self.get_object()
        if task.model is None:
            raise Http404
        return download(request, task.model, task.model_filename)

    @extend_schema(request={"multipart/form-data": FileUploadSerializer}, responses={201: TrainingTaskSerializer})
    @model.mapping.post
    def store_model(self, request: Request, pk: int) -> Response:
        """Hand in the trained model, while the task is running; another one replaces it."""
        task, form = self.get_object(), self.valid(FileUploadSerializer)
        file = form["file"]
        store_model(training_task=task, by=request.user, claim=form["claim"], file=file, filename=file.name)
        return self.answer(task, status.HTTP_201_CREATED)


def download(request: Request, blob: Any, filename: str) -> HttpResponseBase:
    """Answer with a file that a service handed in; another may replace it, so a browser has to ask each time."""
    return stored_file(
        request,
        key=blob.original_key,
        size=blob.size,
        filename=filename,
        content_type="application/octet-stream",
        etag=f'"{blob.digest}"',
        cache=REVALIDATED,
    )

"""``inference-jobs/``: a model's predictions on a dataset."""

from __future__ import annotations

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

from annotations.api.serializers import AnnotationDataSerializer
from annotations.models import AnnotationData
from datasets.models import Dataset
from deepcap.accounts.models import Scope
from usage.models import InferenceJob, TrainingTask
from usage.services.exports import export_predictions
from usage.services.inference_jobs import change_inference_job, create_inference_job, rename_inference_job
from usage.services.lists import inference_jobs
from usage.services.requests import once
from usage.services.results import store_results

from .base import KEY_HEADER, ServiceWorkViewSet, UsageFilter, client_key, ordering_filter
from .fields import (
    AnnotationDataRequestSerializer,
    ClaimSerializer,
    FileSerializer,
    ResultsUploadSerializer,
    VisibleField,
    file_of,
)
from .training_tasks import STATUSES, download


class InferenceJobSerializer(serializers.ModelSerializer):
    annotation_type = serializers.CharField(source="training_task.annotation_type")
    training_task_name = serializers.CharField(source="training_task.name")
    dataset_name = serializers.CharField(source="dataset.name")
    created_by = serializers.CharField(source="created_by.username", default=None)
    status = serializers.ChoiceField(STATUSES)
    place_in_line = serializers.IntegerField(allow_null=True, help_text="From 1, while it waits.")
    predictions = serializers.SerializerMethodField()

    class Meta:
        model = InferenceJob
        fields = [
            "id",
            "name",
            "training_task",
            "training_task_name",
            "annotation_type",
            "dataset",
            "dataset_name",
            "ground_truth",
            "prediction_only",
            "status",
            "status_detail",
            "progress",
            "place_in_line",
            "accuracy",
            "metrics",
            "predictions",
            "predictions_format",
            "claimed_as",
            "created_by",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields

    @extend_schema_field(FileSerializer(allow_null=True))
    def get_predictions(self, job: InferenceJob) -> dict[str, object] | None:
        return file_of(job.predictions, job.predictions_filename)


class InferenceJobCreateSerializer(serializers.Serializer):
    training_task = VisibleField(TrainingTask)
    dataset = VisibleField(Dataset)
    ground_truth = VisibleField(AnnotationData, required=False, allow_null=True, default=None)
    name = serializers.CharField()


class InferenceJobChangeSerializer(ClaimSerializer):
    """`status` takes the job a step on; the rest belongs to the service, except `name`."""

    name = serializers.CharField(required=False)
    status = serializers.ChoiceField(STATUSES, required=False)
    status_detail = serializers.CharField(required=False, allow_blank=True, max_length=500)
    progress = serializers.IntegerField(required=False, min_value=0, max_value=100)
    accuracy = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=1)
    metrics = serializers.DictField(required=False)


class InferenceJobFilter(UsageFilter):
    dataset = django_filters.NumberFilter(field_name="dataset")
    annotation_data = django_filters.NumberFilter(field_name="ground_truth", label="The ground truth.")
    training_task = django_filters.NumberFilter(field_name="training_task")
    status = django_filters.MultipleChoiceFilter(choices=STATUSES)
    ordering = ordering_filter("created_at", "name", "status", "finished_at", "accuracy")

    class Meta:
        model = InferenceJob
        fields: list[str] = []


class InferenceJobViewSet(ServiceWorkViewSet):
    queryset = InferenceJob.objects.none()
    serializer_class = InferenceJobSerializer
    filterset_class = InferenceJobFilter
    scope = Scope.INFERENCE

    def get_queryset(self) -> QuerySet[InferenceJob]:
        return inference_jobs(user=self.request.user)

    @extend_schema(
        request=InferenceJobCreateSerializer, responses={201: InferenceJobSerializer}, parameters=[KEY_HEADER]
    )
    def create(self, request: Request) -> Response:
        """Ask for predictions of a trained model on a dataset; with ground truth they are measured against it."""
        form = self.valid(InferenceJobCreateSerializer)
        job = once(
            user=request.user,
            action="inference_job",
            key=client_key(request),
            make=lambda: create_inference_job(by=request.user, **form),
            find=lambda pk: self.get_queryset().filter(pk=pk).first(),
        )
        return self.answer(job, status.HTTP_201_CREATED)

    @extend_schema(request=InferenceJobChangeSerializer, responses=InferenceJobSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Rename; report progress and metrics; finish, fail (`error`) or stop."""
        job, form = self.get_object(), self.valid(InferenceJobChangeSerializer)
        name = form.pop("name", None)
        if form.keys() - {"claim"}:
            change_inference_job(inference_job=job, by=request.user, **form)
        if name is not None:
            rename_inference_job(inference_job=job, by=request.user, name=name)
        return self.answer(job)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def predictions(self, request: Request, pk: int) -> HttpResponseBase:
        """The predictions, as the service handed them in."""
        job = self.get_object()
        if job.predictions is None:
            raise Http404
        return download(request, job.predictions, job.predictions_filename)

    @extend_schema(request={"multipart/form-data": ResultsUploadSerializer}, responses={201: InferenceJobSerializer})
    @predictions.mapping.post
    def store_predictions(self, request: Request, pk: int) -> Response:
        """Hand in the predictions, in COCO or CSV, while the job is running; others replace them."""
        job, form = self.get_object(), self.valid(ResultsUploadSerializer)
        file = form.pop("file")
        store_results(row=job, by=request.user, file=file, filename=file.name, **form)
        return self.answer(job, status.HTTP_201_CREATED)

    @extend_schema(
        request=AnnotationDataRequestSerializer, responses={202: AnnotationDataSerializer}, parameters=[KEY_HEADER]
    )
    @action(detail=True, methods=["post"], url_path="annotation-data", filterset_class=None, pagination_class=None)
    def annotation_data(self, request: Request, pk: int) -> Response:
        """Make annotation data of the dataset from the predictions that were handed in, or from a file."""
        row, form = self.get_object(), self.valid(AnnotationDataRequestSerializer)
        form.pop("client_key", None)
        if file := form.get("file"):
            form["filename"] = file.name
        data = once(
            user=request.user,
            action=f"inference_job_{pk}_export",
            key=client_key(request),
            make=lambda: export_predictions(inference_job=row, by=request.user, **form),
            find=lambda found: AnnotationData.objects.visible_to(request.user).filter(pk=found).first(),
        )
        return Response(
            AnnotationDataSerializer(data, context=self.get_serializer_context()).data, status=status.HTTP_202_ACCEPTED
        )

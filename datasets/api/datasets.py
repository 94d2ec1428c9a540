"""``datasets/``: upload in one request, list, read, edit, keep, cancel, delete."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from datasets.deletion.receipt import receipt
from datasets.models import Dataset, DatasetStatus
from datasets.services.datasets import edit_dataset
from datasets.services.deletions import delete_dataset
from datasets.services.ingests import cancel_ingest, keep_accepted
from datasets.services.progress import with_progress
from datasets.services.uploads import check_size, upload_file
from deepcap.common.parsers import FormParser, JSONParser

from .serializers import (
    ConfirmationSerializer,
    DatasetEditSerializer,
    DatasetSerializer,
    DatasetUploadSerializer,
    DeletionSerializer,
)

FORM_OVERHEAD = 64 * 1024  # bytes of a multipart request that are not the file's
ORDERINGS = ("created_at", "name", "study_count", "annotation_data_count")


class DatasetFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name.")
    has_annotation_data = django_filters.BooleanFilter(method="by_annotation_data", label="With, or without any.")
    status = django_filters.MultipleChoiceFilter(choices=DatasetStatus.choices)
    ordering = django_filters.ChoiceFilter(
        method="in_order",
        choices=[(f"{sign}{name}", f"{sign}{name}") for name in ORDERINGS for sign in ("", "-")],
        empty_label=None,
        label="Default: -created_at.",
    )

    class Meta:
        model = Dataset
        fields: list[str] = []

    def by_annotation_data(self, datasets: QuerySet[Dataset], name: str, wanted: bool) -> QuerySet[Dataset]:
        return datasets.filter(annotation_data_count__gt=0) if wanted else datasets.filter(annotation_data_count=0)

    def in_order(self, datasets: QuerySet[Dataset], name: str, ordering: str) -> QuerySet[Dataset]:
        return datasets.order_by(ordering, "-pk" if ordering.startswith("-") else "pk")


class DatasetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    queryset = Dataset.objects.none()
    serializer_class = DatasetSerializer
    filterset_class = DatasetFilter
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Dataset]:
        user = self.request.user
        datasets = Dataset.objects.visible_to(user).with_is_new(user).select_related("owner")
        return with_progress(datasets).order_by("-created_at", "-pk")

    def get_parsers(self) -> list[Any]:
        if self.request and self.request.method == "POST":
            return [MultiPartParser()]
        return [JSONParser(), FormParser(), MultiPartParser()]

    @extend_schema(request=DatasetUploadSerializer, responses={202: DatasetSerializer})
    def create(self, request: Request) -> Response:
        """Upload a zip, or a single image, and make a dataset of it."""
        check_size(max(1, int(request.META.get("CONTENT_LENGTH") or 0) - FORM_OVERHEAD))  # before the body is read
        form = DatasetUploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        file = form.validated_data["file"]
        dataset = upload_file(
            owner=request.user,
            stream=file,
            filename=file.name,
            size=file.size,
            name=form.validated_data.get("name") or None,
            deidentify=form.validated_data["deidentify"],
        )
        return self._answer(dataset, status.HTTP_202_ACCEPTED)

    @extend_schema(request=DatasetEditSerializer, responses=DatasetSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change the name or the description."""
        form = DatasetEditSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        dataset = edit_dataset(dataset=self.get_object(), by=request.user, **form.validated_data)
        return self._answer(dataset)

    @extend_schema(request=ConfirmationSerializer, responses={202: DeletionSerializer})
    def destroy(self, request: Request, pk: int) -> Response:
        """Delete the dataset and all that hangs under it: it is off every list at once, the rest follows."""
        form = ConfirmationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        deletion = delete_dataset(
            dataset=self.get_object(), by=request.user, confirmation=form.validated_data.get("confirmation") or ""
        )
        return Response(DeletionSerializer(receipt(deletion)).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses={202: DatasetSerializer})
    @action(detail=True, methods=["post"])
    def keep(self, request: Request, pk: int) -> Response:
        """After "preparation failed": keep the images that were accepted."""
        dataset = keep_accepted(dataset=self.get_object(), by=request.user)
        return self._answer(dataset, status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses={202: DatasetSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: int) -> Response:
        """Stop the preparation; what was read so far can be kept."""
        dataset = cancel_ingest(dataset=self.get_object(), by=request.user)
        return self._answer(dataset, status.HTTP_202_ACCEPTED)

    def _answer(self, dataset: Dataset, code: int = status.HTTP_200_OK) -> Response:
        fresh = self.get_queryset().get(pk=dataset.pk)
        return Response(self.get_serializer(fresh).data, status=code)

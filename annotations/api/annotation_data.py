"""Annotation data of a dataset, and one of them: import, list, read, rename, keep, replace, convert, delete."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.models import AnnotationData, AnnotationDataStatus, AnnotationType
from annotations.services.annotation_data import rename_annotation_data
from annotations.services.deletions import delete_annotation_data
from annotations.services.derivations import convert
from annotations.services.imports import import_labels, keep_import, replace_file
from annotations.services.listings import annotation_data_of, annotation_data_of_dataset
from datasets.api.serializers import ConfirmationSerializer, DeletionSerializer
from datasets.deletion.receipt import receipt
from datasets.models import Dataset
from datasets.services.uploads import check_size
from deepcap.common.parsers import JSONParser

from .access import annotation_data_or_404
from .serializers import (
    AnnotationDataEditSerializer,
    AnnotationDataSerializer,
    AnnotationDataUploadSerializer,
    ConversionSerializer,
    LabelFileSerializer,
)

FORM_OVERHEAD = 64 * 1024  # bytes of a multipart request that are not the file's
ORDERINGS = ("created_at", "name", "study_count", "image_count", "annotation_count")


class AnnotationDataFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name.")
    annotation_type = django_filters.MultipleChoiceFilter(choices=AnnotationType.choices)
    status = django_filters.MultipleChoiceFilter(
        choices=[choice for choice in AnnotationDataStatus.choices if choice[0] != AnnotationDataStatus.DELETING]
    )
    ordering = django_filters.ChoiceFilter(
        method="in_order",
        choices=[(f"{sign}{name}", f"{sign}{name}") for name in ORDERINGS for sign in ("", "-")],
        empty_label=None,
        label="Default: -created_at.",
    )

    class Meta:
        model = AnnotationData
        fields: list[str] = []

    def in_order(self, rows: QuerySet[AnnotationData], name: str, ordering: str) -> QuerySet[AnnotationData]:
        return rows.order_by(ordering, "-pk" if ordering.startswith("-") else "pk")


class DatasetAnnotationData(generics.ListAPIView):
    """The annotation data of a dataset."""

    queryset = AnnotationData.objects.none()
    serializer_class = AnnotationDataSerializer
    filterset_class = AnnotationDataFilter

    @cached_property
    def dataset(self) -> Dataset:
        return get_object_or_404(Dataset.objects.visible_to(self.request.user), pk=self.kwargs["pk"])

    def get_queryset(self) -> QuerySet[AnnotationData]:
        return annotation_data_of_dataset(self.dataset, self.request.user)

    def get_parsers(self) -> list[Any]:
        return [MultiPartParser()]

    @extend_schema(request=AnnotationDataUploadSerializer, responses={202: AnnotationDataSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Import labels from a file. Format and type are detected unless they are given."""
        dataset = self.dataset
        form = read_file(request, AnnotationDataUploadSerializer)
        made = import_labels(
            dataset=dataset,
            by=request.user,
            file=form["file"],
            filename=form["file"].name,
            name=form.get("name") or None,
            annotation_type=form.get("annotation_type") or None,
            file_format=form.get("file_format") or None,
            options=form.get("options"),
        )
        return answer(request, made, status.HTTP_202_ACCEPTED)


class AnnotationDataDetail(generics.RetrieveAPIView):
    """One annotation data, with its labels in alphabetical order."""

    queryset = AnnotationData.objects.none()
    serializer_class = AnnotationDataSerializer

    def get_queryset(self) -> QuerySet[AnnotationData]:
        return annotation_data_of(self.request.user)

    @extend_schema(request=AnnotationDataEditSerializer, responses=AnnotationDataSerializer)
    def patch(self, request: Request, pk: int) -> Response:
        """Change the name."""
        annotation_data = self.get_object()
        form = AnnotationDataEditSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if "name" in form.validated_data:
            rename_annotation_data(annotation_data=annotation_data, by=request.user, name=form.validated_data["name"])
        return answer(request, annotation_data)

    @extend_schema(request=ConfirmationSerializer, responses={202: DeletionSerializer})
    def delete(self, request: Request, pk: int) -> Response:
        """Delete the annotation data and what hangs under it: it is off every list at once, the rest follows."""
        annotation_data = self.get_object()
        form = ConfirmationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        deletion = delete_annotation_data(
            annotation_data=annotation_data,
            by=request.user,
            confirmation=form.validated_data.get("confirmation") or "",
        )
        return Response(DeletionSerializer(receipt(deletion)).data, status=status.HTTP_202_ACCEPTED)


class AnnotationDataKeep(APIView):
    @extend_schema(request=None, responses={202: AnnotationDataSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """After "import failed": keep the annotations that were good."""
        kept = keep_import(annotation_data=annotation_data_or_404(request, pk), by=request.user)
        return answer(request, kept, status.HTTP_202_ACCEPTED)


class AnnotationDataFile(APIView):
    parser_classes = [MultiPartParser]

    @extend_schema(request=LabelFileSerializer, responses={202: AnnotationDataSerializer})
    def put(self, request: Request, pk: int) -> Response:
        """Read another label file in place of the one that had problems."""
        annotation_data = annotation_data_or_404(request, pk)
        form = read_file(request, LabelFileSerializer)
        replaced = replace_file(
            annotation_data=annotation_data,
            by=request.user,
            file=form["file"],
            filename=form["file"].name,
            options=form.get("options"),
        )
        return answer(request, replaced, status.HTTP_202_ACCEPTED)


class AnnotationDataConvert(APIView):
    parser_classes = [JSONParser]

    @extend_schema(request=ConversionSerializer, responses={202: AnnotationDataSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Make new annotation data of another type, or with labels merged; these stay as they are."""
        annotation_data = annotation_data_or_404(request, pk)
        form = ConversionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        made = convert(
            annotation_data=annotation_data,
            by=request.user,
            annotation_type=form.validated_data["annotation_type"],
            name=form.validated_data.get("name", ""),
            labels=form.validated_data.get("labels"),
            merge=form.validated_data.get("merge"),
        )
        return answer(request, made, status.HTTP_202_ACCEPTED)


def read_file(request: Request, form_class: type[AnnotationDataUploadSerializer]) -> dict[str, Any]:
    """Return the form of a request with a file, whose size is looked at before the body is read."""
    check_size(max(1, int(request.META.get("CONTENT_LENGTH") or 0) - FORM_OVERHEAD))
    form = form_class(data=request.data)
    form.is_valid(raise_exception=True)
    return form.validated_data


def answer(request: Request, annotation_data: AnnotationData, code: int = status.HTTP_200_OK) -> Response:
    fresh = annotation_data_of(request.user).get(pk=annotation_data.pk)
    return Response(AnnotationDataSerializer(fresh, context={"request": request}).data, status=code)

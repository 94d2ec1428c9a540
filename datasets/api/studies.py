"""``datasets/{id}/studies/``, ``studies/{id}/`` and ``studies/{id}/images/``: in display order."""

from __future__ import annotations

from functools import cached_property

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import generics

from datasets.models import Dataset, Image, Study

from .pagination import PositionPagination
from .serializers import ImageSerializer, StudySerializer


class DatasetStudies(generics.ListAPIView):
    """The studies of a dataset."""

    queryset = Study.objects.none()
    serializer_class = StudySerializer
    pagination_class = PositionPagination
    filter_backends = []

    @cached_property
    def dataset(self) -> Dataset:
        return get_object_or_404(Dataset.objects.visible_to(self.request.user), pk=self.kwargs["pk"])

    def get_queryset(self) -> QuerySet[Study]:
        return Study.objects.filter(dataset=self.dataset).select_related("cover__blob")

    def get_count(self) -> int:
        return self.dataset.study_count


class StudyDetail(generics.RetrieveAPIView):
    """One study."""

    queryset = Study.objects.none()
    serializer_class = StudySerializer

    def get_queryset(self) -> QuerySet[Study]:
        return Study.objects.visible_to(self.request.user).select_related("cover__blob")


class StudyImages(generics.ListAPIView):
    """The images of a study: series by number, images along the slice normal where they have one."""

    queryset = Image.objects.none()
    serializer_class = ImageSerializer
    pagination_class = PositionPagination
    filter_backends = []

    @cached_property
    def study(self) -> Study:
        return get_object_or_404(Study.objects.visible_to(self.request.user), pk=self.kwargs["pk"])

    def get_queryset(self) -> QuerySet[Image]:
        return Image.objects.filter(study=self.study).select_related("blob", "series")

    def get_count(self) -> int:
        return self.study.image_count

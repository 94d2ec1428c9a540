"""``annotation-data/{id}/splits/``: parts to be trained, chosen and tested on, and datasets made of them."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.models import AnnotationData, Split, SplitMember
from annotations.services.listings import annotation_data_of
from annotations.services.split_plans import USUAL, Wish
from annotations.services.splits import (
    create_split,
    datasets_of_split,
    delete_split,
    part_of,
    preview_split,
    rename_split,
    split_dataset,
    splits_of,
)
from datasets.api.pagination import PositionPagination
from datasets.api.serializers import DatasetSerializer
from datasets.models import Dataset, Study
from datasets.services.progress import with_progress
from deepcap.common.parsers import JSONParser

from .access import annotation_data_or_404, split_or_404
from .split_serializers import (
    DatasetSplitSerializer,
    NamedSplitSerializer,
    RenamedSplitSerializer,
    SplitMemberSerializer,
    SplitReportSerializer,
    SplitSerializer,
    WishSerializer,
)


def wish_of(values: dict[str, Any]) -> Wish:
    return Wish(
        shares=values.get("shares") or USUAL,
        seed=values["seed"],
        by_patient=values["by_patient"],
        stratify=values["stratify"],
    )


class AnnotationDataSplits(generics.ListAPIView):
    """The saved splits of annotation data, the newest first."""

    queryset = Split.objects.none()
    serializer_class = SplitSerializer
    filter_backends = []

    def get_queryset(self) -> QuerySet[Split]:
        return splits_of(self.request.user, annotation_data_or_404(self.request, self.kwargs["pk"]))

    def get_parsers(self) -> list[Any]:
        return [JSONParser()]

    @extend_schema(request=NamedSplitSerializer, responses={201: SplitSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Divide the studies of which images are listed, and keep which is in which part; it does not change then."""
        annotation_data = annotation_data_or_404(request, pk)
        form = NamedSplitSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        split = create_split(
            annotation_data=annotation_data,
            by=request.user,
            name=form.validated_data["name"],
            wish=wish_of(form.validated_data),
        )
        fresh = split_or_404(request, annotation_data, split.pk)
        return Response(SplitSerializer(fresh).data, status=status.HTTP_201_CREATED)


class AnnotationDataSplitPreview(APIView):
    parser_classes = [JSONParser]

    @extend_schema(request=WishSerializer, responses=SplitReportSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Say how large the parts would be, how their labels would lie, and what would leak; nothing is written."""
        annotation_data = annotation_data_or_404(request, pk)
        form = WishSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        plan = preview_split(annotation_data=annotation_data, wish=wish_of(form.validated_data))
        return Response(SplitReportSerializer(plan.report()).data)


class AnnotationDataSplit(APIView):
    parser_classes = [JSONParser]

    @extend_schema(responses=SplitSerializer)
    def get(self, request: Request, pk: int, split_id: int) -> Response:
        """One split."""
        return Response(SplitSerializer(self._split(request)).data)

    @extend_schema(request=RenamedSplitSerializer, responses=SplitSerializer)
    def patch(self, request: Request, pk: int, split_id: int) -> Response:
        """Change the name; nothing else of a split changes."""
        split = self._split(request)
        form = RenamedSplitSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if "name" in form.validated_data:
            rename_split(split=split, by=request.user, name=form.validated_data["name"])
        return Response(SplitSerializer(split).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int, split_id: int) -> Response:
        """Forget a split; refused (409, `split_in_use`) as long as a training task says that it used it."""
        delete_split(split=self._split(request), by=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _split(self, request: Request) -> Split:
        return split_or_404(request, annotation_data_or_404(request, self.kwargs["pk"]), self.kwargs["split_id"])


@extend_schema(parameters=[OpenApiParameter("part", OpenApiTypes.STR, description="Only the studies of this part.")])
class AnnotationDataSplitStudies(generics.ListAPIView):
    """The studies of a split with the names of their parts, in display order."""

    queryset = Study.objects.none()
    serializer_class = SplitMemberSerializer
    pagination_class = PositionPagination
    filter_backends = []

    @cached_property
    def split(self) -> Split:
        annotation_data = annotation_data_or_404(self.request, self.kwargs["pk"])
        return split_or_404(self.request, annotation_data, self.kwargs["split_id"])

    @cached_property
    def place(self) -> int | None:
        asked = self.request.query_params.get("part")
        return part_of(self.split, asked) if asked else None

    def get_queryset(self) -> QuerySet[Study]:
        member = SplitMember.objects.filter(split=self.split, study=OuterRef("pk"))
        studies = Study.objects.filter(dataset=self.split.annotation_data.dataset_id)
        studies = studies.annotate(part=Subquery(member.values("part")))
        return studies.exclude(part=None) if self.place is None else studies.filter(part=self.place)

    def get_count(self) -> int:
        return self.split.study_count if self.place is None else self.split.report["parts"][self.place]["studies"]

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "names": self.split.part_names}


class AnnotationDataSplitDatasets(APIView):
    parser_classes = [JSONParser]

    @extend_schema(request=None, responses={202: DatasetSerializer(many=True)})
    def post(self, request: Request, pk: int, split_id: int) -> Response:
        """Make a new dataset with its labels of each part. They do not depend on the split afterwards."""
        split = split_or_404(request, annotation_data_or_404(request, pk), split_id)
        return _datasets(request, datasets_of_split(split=split, by=request.user))


class DatasetSplit(APIView):
    parser_classes = [JSONParser]

    @extend_schema(request=DatasetSplitSerializer, responses={202: DatasetSerializer(many=True)})
    def post(self, request: Request, pk: int) -> Response:
        """Make a new dataset of each part of this one: all studies, those without labels too."""
        dataset = get_object_or_404(Dataset.objects.visible_to(request.user), pk=pk)
        form = DatasetSplitSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data: AnnotationData | None = None
        if (data_id := form.validated_data.get("annotation_data")) is not None:
            data = get_object_or_404(annotation_data_of(request.user).filter(dataset=dataset), pk=data_id)
        wish = wish_of(form.validated_data)
        made, _plan = split_dataset(dataset=dataset, by=request.user, wish=wish, annotation_data=data)
        return _datasets(request, list(made.values()))


def _datasets(request: Request, made: list[Dataset]) -> Response:
    rows = with_progress(Dataset.objects.visible_to(request.user).with_is_new(request.user).select_related("owner"))
    found = rows.in_bulk([dataset.pk for dataset in made])
    shown = [found[dataset.pk] for dataset in made]
    body = DatasetSerializer(shown, many=True, context={"request": request}).data
    return Response(body, status=status.HTTP_202_ACCEPTED)

"""``datasets/combine/``: a new dataset out of others, and what would come of it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotations.services.combinations import Wanted, combine_datasets, preview_combination
from datasets.api.serializers import DatasetSerializer
from datasets.models import Dataset
from datasets.services.progress import with_progress
from deepcap.common.parsers import JSONParser

from .combine_serializers import (
    CombinationSerializer,
    NamedCombinationSerializer,
    PreviewSerializer,
    preview_as_json,
)


class CombineDatasets(APIView):
    parser_classes = [JSONParser]

    @extend_schema(request=NamedCombinationSerializer, responses={202: DatasetSerializer})
    def post(self, request: Request) -> Response:
        """Make a new dataset out of others, which it does not depend on afterwards. No image is copied or converted."""
        form = NamedCombinationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        dataset = combine_datasets(
            wanted=wanted_of(form.validated_data),
            by=request.user,
            name=form.validated_data["name"],
            annotation_data_name=form.validated_data.get("annotation_data_name"),
        )
        return dataset_answer(request, dataset, status.HTTP_202_ACCEPTED)


class CombinePreview(APIView):
    parser_classes = [JSONParser]

    @extend_schema(request=CombinationSerializer, responses=PreviewSerializer)
    def post(self, request: Request) -> Response:
        """Say what would come of it: labels that may mean the same, conflicts, duplicates, shared patients."""
        form = CombinationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        found = preview_combination(wanted=wanted_of(form.validated_data), by=request.user)
        return Response(preview_as_json(found, request))


def wanted_of(values: dict[str, Any]) -> Wanted:
    keys = ("sources", "label_map", "on_conflict", "duplicates")
    return Wanted(**{key: values[key] for key in keys if key in values})


def dataset_answer(request: Request, dataset: Dataset, code: int) -> Response:
    rows = with_progress(Dataset.objects.visible_to(request.user).with_is_new(request.user).select_related("owner"))
    return Response(DatasetSerializer(rows.get(pk=dataset.pk), context={"request": request}).data, status=code)

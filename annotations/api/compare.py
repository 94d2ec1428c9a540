"""``datasets/compare/``: what two datasets have in common, and the studies behind the numbers."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from annotations.services.comparisons import KINDS, Comparison, Side, compare, studies_of
from datasets.errors import WrongState
from datasets.models import Dataset, Study
from deepcap.common.api import MAX_PAGE_SIZE

BOTH = [OpenApiParameter(side, OpenApiTypes.INT, required=True, description="A dataset.") for side in ("a", "b")]


class PairSerializer(serializers.Serializer):
    a = serializers.IntegerField()
    b = serializers.IntegerField()


class StudiesAskedSerializer(PairSerializer):
    kind = serializers.ChoiceField(KINDS, default="images")
    after = serializers.IntegerField(default=-1, min_value=-1)
    page_size = serializers.IntegerField(default=50, min_value=1, max_value=MAX_PAGE_SIZE)


class SideSerializer(serializers.Serializer):
    dataset = serializers.IntegerField()
    name = serializers.CharField()
    studies = serializers.IntegerField()
    images = serializers.IntegerField()
    shared_images = serializers.IntegerField(help_text="Images with bytes that the other has too.")
    own_images = serializers.IntegerField()
    patients = serializers.IntegerField(help_text="Patients that are named, told by a keyed digest.")
    shared_patient_studies = serializers.IntegerField()


class LabelPairSerializer(serializers.Serializer):
    """Labels that may mean the same: names, with their images over all annotation data."""

    match = serializers.ChoiceField(["none", "exact", "case", "punctuation", "plural", "similar"])
    a = serializers.DictField(child=serializers.IntegerField())
    b = serializers.DictField(child=serializers.IntegerField())


class ComparisonSerializer(serializers.Serializer):
    a = SideSerializer()
    b = SideSerializer()
    shared_files = serializers.IntegerField(help_text="Different bytes that both have.")
    shared_patients = serializers.IntegerField()
    labels = LabelPairSerializer(many=True)


class ComparedStudySerializer(serializers.Serializer):
    study = serializers.IntegerField()
    dataset = serializers.IntegerField()
    name = serializers.CharField()
    thumbnail_url = serializers.CharField(allow_null=True)


class SharedStudySerializer(ComparedStudySerializer):
    beside = ComparedStudySerializer(many=True, help_text="Studies of the other dataset it shares something with.")


class StudyPageSerializer(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    results = SharedStudySerializer(many=True)


class CompareDatasets(APIView):
    @extend_schema(parameters=BOTH, responses=ComparisonSerializer)
    def get(self, request: Request) -> Response:
        """Count what two datasets share byte for byte, their common patients, and set their labels side by side."""
        a, b, _form = pair_of(request, PairSerializer)
        found = compare(a, b)
        return Response(_as_json(found))


class CompareStudies(APIView):
    @extend_schema(
        parameters=[
            *BOTH,
            OpenApiParameter("kind", OpenApiTypes.STR, enum=KINDS, description="Default: images."),
            OpenApiParameter("after", OpenApiTypes.INT, description="Where the page begins, as in `next`."),
            OpenApiParameter("page_size", OpenApiTypes.INT, description=f"Rows a page, at most {MAX_PAGE_SIZE}."),
        ],
        responses=StudyPageSerializer,
    )
    def get(self, request: Request) -> Response:
        """The studies of `a` that share bytes or a patient with `b`, each with those of `b`; or those of one alone."""
        a, b, form = pair_of(request, StudiesAskedSerializer)
        page = studies_of(a, b, form["kind"], after=form["after"], size=form["page_size"])
        here = request.build_absolute_uri()
        rows = [
            {**_study(row.study, request), "beside": [_study(study, request) for study in row.beside]}
            for row in page.rows
        ]
        after = None if page.next is None else replace_query_param(here, "after", page.next)
        return Response({"next": after, "results": rows})


def pair_of(request: Request, form_class: type[serializers.Serializer]) -> tuple[Dataset, Dataset, dict[str, Any]]:
    """Return the datasets that ``?a=&b=`` name, and the rest of the query.

    Raises ValidationError, Http404, and WrongState for one that is under way.
    """
    form = form_class(data=request.query_params)
    form.is_valid(raise_exception=True)
    visible = Dataset.objects.visible_to(request.user)
    a, b = (get_object_or_404(visible, pk=form.validated_data[side]) for side in ("a", "b"))
    if any(dataset.is_under_way for dataset in (a, b)):
        raise WrongState(gettext("A dataset that is still being prepared cannot be compared yet."))
    return a, b, form.validated_data


def _as_json(found: Comparison) -> dict[str, Any]:
    return {
        "a": _side(found.a),
        "b": _side(found.b),
        "shared_files": found.shared_blobs,
        "shared_patients": found.shared_patients,
        "labels": [{"match": pair.match, "a": pair.a, "b": pair.b} for pair in found.labels],
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "dataset": side.dataset.pk,
        "name": side.dataset.name,
        "studies": side.dataset.study_count,
        "images": side.dataset.image_count,
        "shared_images": side.shared_images,
        "own_images": side.own_images,
        "patients": side.patients,
        "shared_patient_studies": side.shared_patient_studies,
    }


def _study(study: Study, request: Request) -> dict[str, Any]:
    url = study.cover_id and reverse("api:image-thumbnail", args=[study.cover_id], request=request)
    return {"study": study.pk, "dataset": study.dataset_id, "name": study.name, "thumbnail_url": url}

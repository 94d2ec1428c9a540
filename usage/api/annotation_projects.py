"""``annotation-projects/``: who labels a dataset, with which labels, checked how."""

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
from annotations.models import AnnotationData, AnnotationType
from datasets.models import Dataset
from deepcap.accounts.models import Scope
from usage.models import DELETING, AnnotationProject, JobRole, ProjectMember, ProjectStatus, ValidationMethod
from usage.services.annotation_projects import (
    Member,
    change_annotation_project,
    create_annotation_project,
    edit_annotation_project,
)
from usage.services.exports import export_results
from usage.services.lists import annotation_projects
from usage.services.requests import once
from usage.services.results import store_results
from usage.services.rules import require_owner

from .base import KEY_HEADER, ServiceWorkViewSet, UsageFilter, client_key, ordering_filter
from .fields import (
    AnnotationDataRequestSerializer,
    ClaimSerializer,
    FileSerializer,
    ResultsUploadSerializer,
    UserField,
    VisibleField,
    file_of,
)
from .training_tasks import download

STATUSES = [choice for choice in ProjectStatus.choices if choice[0] != DELETING]


class MemberSerializer(serializers.ModelSerializer):
    user = serializers.CharField(source="user.username")

    class Meta:
        model = ProjectMember
        fields = ["user", "role", "state"]
        read_only_fields = fields


class AnnotationTypeSerializer(serializers.Serializer):
    annotation_type = serializers.ChoiceField(AnnotationType.choices)
    labels = serializers.ListField(child=serializers.CharField(max_length=100), min_length=1)


class AnnotationProjectSerializer(serializers.ModelSerializer):
    dataset_name = serializers.CharField(source="dataset.name")
    created_by = serializers.CharField(source="created_by.username", default=None)
    status = serializers.ChoiceField(STATUSES)
    annotation_types = AnnotationTypeSerializer(many=True)
    annotation_data = serializers.PrimaryKeyRelatedField(source="included_annotation_data", many=True, read_only=True)
    members = MemberSerializer(many=True)
    results = serializers.SerializerMethodField()

    class Meta:
        model = AnnotationProject
        fields = [
            "id",
            "name",
            "dataset",
            "dataset_name",
            "status",
            "status_detail",
            "instruction",
            "annotation_types",
            "annotation_data",
            "members",
            "validation_method",
            "annotators_per_study",
            "review_percentage",
            "annotation_due",
            "review_due",
            "finish_on",
            "study_count",
            "annotated_count",
            "review_count",
            "reviewed_count",
            "annotation_job_count",
            "results",
            "results_format",
            "claimed_as",
            "created_by",
            "created_at",
            "published_at",
            "finished_at",
        ]
        read_only_fields = fields

    @extend_schema_field(FileSerializer(allow_null=True))
    def get_results(self, project: AnnotationProject) -> dict[str, object] | None:
        return file_of(project.results, project.results_filename)


class NewMemberSerializer(serializers.Serializer):
    user = UserField()
    role = serializers.ChoiceField(JobRole.choices, default=JobRole.ANNOTATOR)


class ScheduleSerializer(serializers.Serializer):
    instruction = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    annotation_due = serializers.DateField(required=False, allow_null=True)
    review_due = serializers.DateField(required=False, allow_null=True)
    finish_on = serializers.DateField(required=False, allow_null=True)


class AnnotationProjectCreateSerializer(ScheduleSerializer):
    dataset = VisibleField(Dataset)
    name = serializers.CharField()
    annotation_types = AnnotationTypeSerializer(many=True)
    annotation_data = VisibleField(AnnotationData, many=True, required=False)
    members = NewMemberSerializer(many=True, required=False)
    validation_method = serializers.ChoiceField(ValidationMethod.choices, required=False)
    annotators_per_study = serializers.IntegerField(required=False, min_value=1, max_value=5)
    review_percentage = serializers.IntegerField(required=False, min_value=0, max_value=100)


class AnnotationProjectChangeSerializer(ScheduleSerializer, ClaimSerializer):
    """`status` takes the project a step on: `in_progress` shares the studies out among the members."""

    name = serializers.CharField(required=False)
    status = serializers.ChoiceField(STATUSES, required=False)
    status_detail = serializers.CharField(required=False, allow_blank=True, max_length=500)


class AnnotationProjectFilter(UsageFilter):
    dataset = django_filters.NumberFilter(field_name="dataset")
    annotation_data = django_filters.NumberFilter(field_name="included_annotation_data", label="One that it includes.")
    status = django_filters.MultipleChoiceFilter(choices=STATUSES)
    ordering = ordering_filter("created_at", "name", "status", "published_at", "finished_at", "changed_at")

    class Meta:
        model = AnnotationProject
        fields: list[str] = []


class AnnotationProjectViewSet(ServiceWorkViewSet):
    queryset = AnnotationProject.objects.none()
    serializer_class = AnnotationProjectSerializer
    filterset_class = AnnotationProjectFilter
    scope = Scope.ANNOTATION

    def get_queryset(self) -> QuerySet[AnnotationProject]:
        return annotation_projects(user=self.request.user)

    def to_be_claimed(self) -> QuerySet[AnnotationProject]:
        return AnnotationProject.objects.managed_by(self.request.user)

    @extend_schema(
        request=AnnotationProjectCreateSerializer, responses={201: AnnotationProjectSerializer}, parameters=[KEY_HEADER]
    )
    def create(self, request: Request) -> Response:
        """Make a project, to be published by `PATCH {"status": "in_progress"}`."""
        form = self.valid(AnnotationProjectCreateSerializer)
        form["members"] = [Member(**member) for member in form.get("members", ())]
        project = once(
            user=request.user,
            action="annotation_project",
            key=client_key(request),
            make=lambda: create_annotation_project(by=request.user, **form),
            find=lambda pk: self.get_queryset().filter(pk=pk).first(),
        )
        return self.answer(project, status.HTTP_201_CREATED)

    @extend_schema(request=AnnotationProjectChangeSerializer, responses=AnnotationProjectSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Edit name, instruction and schedule; publish (`in_progress`), finish, fail (`error`) or stop."""
        project, form = self.get_object(), self.valid(AnnotationProjectChangeSerializer)
        steps = {key: form.pop(key) for key in ("status", "status_detail", "claim") if key in form}
        if form:
            edit_annotation_project(project=project, by=request.user, **form)
        if steps.keys() - {"claim"}:
            change_annotation_project(project=project, by=request.user, **steps)
        return self.answer(project)

    @extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def results(self, request: Request, pk: int) -> HttpResponseBase:
        """The results, as the service handed them in, for the owner: they are about studies of all members."""
        project = self.get_object()
        require_owner(project, request.user)
        if project.results is None:
            raise Http404
        return download(request, project.results, project.results_filename)

    @extend_schema(
        request={"multipart/form-data": ResultsUploadSerializer}, responses={201: AnnotationProjectSerializer}
    )
    @results.mapping.post
    def store_results(self, request: Request, pk: int) -> Response:
        """Hand in the validated results, in COCO or CSV, while the project is in progress; others replace them."""
        project, form = self.get_object(), self.valid(ResultsUploadSerializer)
        file = form.pop("file")
        store_results(row=project, by=request.user, file=file, filename=file.name, **form)
        return self.answer(project, status.HTTP_201_CREATED)

    @extend_schema(
        request=AnnotationDataRequestSerializer, responses={202: AnnotationDataSerializer}, parameters=[KEY_HEADER]
    )
    @action(detail=True, methods=["post"], url_path="annotation-data", filterset_class=None, pagination_class=None)
    def annotation_data(self, request: Request, pk: int) -> Response:
        """Make annotation data of the dataset from the results that were handed in, or from a file."""
        row, form = self.get_object(), self.valid(AnnotationDataRequestSerializer)
        form.pop("client_key", None)
        if file := form.get("file"):
            form["filename"] = file.name
        data = once(
            user=request.user,
            action=f"project_{pk}_export",
            key=client_key(request),
            make=lambda: export_results(project=row, by=request.user, **form),
            find=lambda found: AnnotationData.objects.visible_to(request.user).filter(pk=found).first(),
        )
        return Response(
            AnnotationDataSerializer(data, context=self.get_serializer_context()).data, status=status.HTTP_202_ACCEPTED
        )

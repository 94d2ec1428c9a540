"""``annotation-jobs/``: each member's share of a project's studies."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from deepcap.accounts.models import Scope
from deepcap.common.api import KeysetPagination
from usage.models import DELETING, AnnotationJob, AnnotationProject, JobRole, JobStatus, JobStudy, StudyState
from usage.services.annotation_jobs import STUDIES_AT_ONCE, change_annotation_job, create_annotation_job
from usage.services.lists import annotation_jobs
from usage.services.requests import once

from .base import KEY_HEADER, UsageFilter, UsageViewSet, client_key, ordering_filter
from .fields import UserField, VisibleField

STATUSES = [choice for choice in JobStatus.choices if choice[0] != DELETING]


class AnnotationJobSerializer(serializers.ModelSerializer):
    project_name = serializers.CharField(source="project.name")
    dataset = serializers.IntegerField(source="project.dataset_id")
    assignee = serializers.CharField(source="assignee.username", default=None)
    status = serializers.ChoiceField(STATUSES)

    class Meta:
        model = AnnotationJob
        fields = [
            "id",
            "project",
            "project_name",
            "dataset",
            "assignee",
            "role",
            "status",
            "status_detail",
            "study_count",
            "finished_count",
            "returned_count",
            "created_at",
            "finished_at",
        ]
        read_only_fields = fields


class JobStudySerializer(serializers.ModelSerializer):
    name = serializers.CharField(source="study.name")

    class Meta:
        model = JobStudy
        fields = ["study", "name", "state"]
        read_only_fields = fields


class AnnotationJobCreateSerializer(serializers.Serializer):
    project = VisibleField(AnnotationProject)
    assignee = UserField()
    role = serializers.ChoiceField(JobRole.choices, default=JobRole.ANNOTATOR)
    studies = serializers.ListField(
        child=serializers.IntegerField(min_value=1), required=False, max_length=100_000, help_text="Default: all."
    )


class StudyStateSerializer(serializers.Serializer):
    study = serializers.IntegerField()
    state = serializers.ChoiceField(StudyState.choices)


class AnnotationJobChangeSerializer(serializers.Serializer):
    status = serializers.ChoiceField(STATUSES, required=False)
    status_detail = serializers.CharField(required=False, allow_blank=True, max_length=500)
    studies = StudyStateSerializer(many=True, required=False, max_length=STUDIES_AT_ONCE)


class AnnotationJobFilter(UsageFilter):
    search = django_filters.CharFilter(
        field_name="project__name", lookup_expr="icontains", label="Part of the project's name."
    )
    dataset = django_filters.NumberFilter(field_name="project__dataset")
    annotation_data = django_filters.NumberFilter(field_name="project__included_annotation_data")
    project = django_filters.NumberFilter(field_name="project")
    assignee = django_filters.CharFilter(field_name="assignee__username", label="User name.")
    role = django_filters.MultipleChoiceFilter(choices=JobRole.choices)
    status = django_filters.MultipleChoiceFilter(choices=STATUSES)
    ordering = ordering_filter("created_at", "status", "finished_at")

    class Meta:
        model = AnnotationJob
        fields: list[str] = []


class JobStudyFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=StudyState.choices)

    class Meta:
        model = JobStudy
        fields: list[str] = []


class AnnotationJobViewSet(UsageViewSet):
    queryset = AnnotationJob.objects.none()
    serializer_class = AnnotationJobSerializer
    filterset_class = AnnotationJobFilter
    scope = Scope.ANNOTATION

    def get_queryset(self) -> QuerySet[AnnotationJob]:
        return annotation_jobs(user=self.request.user)

    @extend_schema(
        request=AnnotationJobCreateSerializer, responses={201: AnnotationJobSerializer}, parameters=[KEY_HEADER]
    )
    def create(self, request: Request) -> Response:
        """Give somebody a job in a project; they become a member of it."""
        form = self.valid(AnnotationJobCreateSerializer)
        job = once(
            user=request.user,
            action="annotation_job",
            key=client_key(request),
            make=lambda: create_annotation_job(by=request.user, **form),
            find=lambda pk: self.get_queryset().filter(pk=pk).first(),
        )
        return self.answer(job, status.HTTP_201_CREATED)

    @extend_schema(request=AnnotationJobChangeSerializer, responses=AnnotationJobSerializer)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Say how far studies are; finish, stop, resume or reopen the job."""
        job, form = self.get_object(), self.valid(AnnotationJobChangeSerializer)
        states = {entry["study"]: entry["state"] for entry in form.pop("studies", ())}
        change_annotation_job(job=job, by=request.user, states=states, **form)
        return self.answer(job)


class AnnotationJobStudies(generics.ListAPIView):
    """The studies of a job and how far each is."""

    queryset = JobStudy.objects.none()
    serializer_class = JobStudySerializer
    filterset_class = JobStudyFilter
    pagination_class = KeysetPagination

    def get_queryset(self) -> QuerySet[JobStudy]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        job = get_object_or_404(annotation_jobs(user=self.request.user), pk=self.kwargs["pk"])
        return JobStudy.objects.filter(job=job).select_related("study").order_by("pk")

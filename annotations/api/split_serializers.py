"""The shapes of splits: what is asked for, what it comes to, and what is saved."""

from __future__ import annotations

from rest_framework import serializers

from annotations.models import Split
from annotations.services.split_plans import LARGEST_SEED
from datasets.models import Study


class WishSerializer(serializers.Serializer):
    shares = serializers.DictField(
        child=serializers.FloatField(),
        required=False,
        help_text='Parts in order, shares in any unit. Default: {"train": 70, "validation": 15, "test": 15}.',
    )
    seed = serializers.IntegerField(default=0, min_value=0, max_value=LARGEST_SEED, help_text="The same: same parts.")
    by_patient = serializers.BooleanField(
        default=True, help_text="Keep studies of a patient, and images with the same bytes, in one part."
    )
    stratify = serializers.BooleanField(default=True, help_text="Keep labels in proportion.")


class NamedSplitSerializer(WishSerializer):
    name = serializers.CharField()


class RenamedSplitSerializer(serializers.Serializer):
    name = serializers.CharField(required=False)


class DatasetSplitSerializer(WishSerializer):
    annotation_data = serializers.IntegerField(
        required=False, allow_null=True, help_text="Whose labels come along and are kept in proportion."
    )


class PartSerializer(serializers.Serializer):
    """``labels``: of very many the most frequent."""

    name = serializers.CharField()
    share = serializers.FloatField(help_text="0 to 1.")
    studies = serializers.IntegerField()
    images = serializers.IntegerField(help_text="Listed images.")
    labels = serializers.DictField(child=serializers.IntegerField(), help_text="Studies that have the label.")


class LeaksSerializer(serializers.Serializer):
    """Patients (by keyed digest) and bytes that are in more than one part."""

    patients = serializers.IntegerField()
    images = serializers.IntegerField()


class SplitReportSerializer(serializers.Serializer):
    parts = PartSerializer(many=True)
    leaks = LeaksSerializer()
    without_patient = serializers.IntegerField(help_text="Studies that name nobody: only bytes could be compared.")


class SplitSerializer(serializers.ModelSerializer):
    parts = PartSerializer(many=True, source="report.parts")
    leaks = LeaksSerializer(source="report.leaks")
    without_patient = serializers.IntegerField(source="report.without_patient")
    training_task_count = serializers.IntegerField(source="use_count", help_text="It can be deleted when it is 0.")
    created_by = serializers.CharField(source="created_by.username", default=None)

    class Meta:
        model = Split
        fields = [
            "id",
            "name",
            "annotation_data",
            "seed",
            "by_patient",
            "stratified",
            "study_count",
            "parts",
            "leaks",
            "without_patient",
            "training_task_count",
            "created_by",
            "created_at",
        ]
        read_only_fields = fields


class SplitMemberSerializer(serializers.ModelSerializer):
    study = serializers.IntegerField(source="pk")
    part = serializers.SerializerMethodField()

    class Meta:
        model = Study
        fields = ["study", "name", "part"]

    def get_part(self, study: Study) -> str:
        return self.context["names"][study.part]  # type: ignore[attr-defined]

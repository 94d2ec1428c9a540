"""``datasets/{id}/deletion-impact/`` and ``deletions/{id}/``: what would go, and the receipt of what went."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.deletion.impact import impact
from datasets.deletion.receipt import receipt
from datasets.models import Dataset, Deletion
from datasets.services.deletions import restore

from .serializers import DeletionImpactSerializer, DeletionSerializer, RestoredSerializer


class DeletionImpact(APIView):
    @extend_schema(responses=DeletionImpactSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Count what would go with the dataset; nothing is changed."""
        dataset = get_object_or_404(Dataset.objects.visible_to(request.user), pk=pk)
        return Response(impact(dataset))


class DeletionDetail(APIView):
    @extend_schema(responses=DeletionSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """The receipt of a deletion, kept for good."""
        deletion = get_object_or_404(Deletion.objects.visible_to(request.user), pk=pk)
        return Response(DeletionSerializer(receipt(deletion)).data)


class DeletionRestore(APIView):
    @extend_schema(request=None, responses={202: RestoredSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Take a deletion back, while its restore period lasts."""
        deletion = get_object_or_404(Deletion.objects.visible_to(request.user), pk=pk)
        row = restore(deletion=deletion, by=request.user)
        said = {"target_type": deletion.target_type, "target_id": row.pk}
        return Response(RestoredSerializer(said).data, status=202)

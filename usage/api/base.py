"""What the four lists and their records share: filters, keys of clients, deletion; and the claims of services."""

from __future__ import annotations

from typing import Any

import django_filters
from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from datasets.api.serializers import ConfirmationSerializer, DeletionSerializer
from datasets.deletion.receipt import receipt
from deepcap.accounts.models import ServiceToken
from deepcap.common.api import CountedPagination
from deepcap.common.paging import KeysFirstPaginator
from usage.claims import claim_of
from usage.models import ServiceWork
from usage.services.deletions import delete_usage, usage_impact
from usage.services.work import claim_next, heartbeat, was_mine

from .fields import ClaimRequestSerializer, HeartbeatAnswerSerializer, HeartbeatSerializer, UsageImpactSerializer

KEY_HEADER = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same key is answered with the same object."
)


class UsageFilter(django_filters.FilterSet):
    """``search`` in names, ``status``, which may be repeated, ``ordering`` with the id as the last word."""

    ORDERINGS: tuple[str, ...] = ("created_at", "name", "status", "finished_at")
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name.")

    def in_order(self, rows: QuerySet, name: str, ordering: str) -> QuerySet:
        return rows.order_by(ordering, "-pk" if ordering.startswith("-") else "pk")


def ordering_filter(*names: str) -> django_filters.ChoiceFilter:
    return django_filters.ChoiceFilter(
        method="in_order",
        choices=[(f"{sign}{name}", f"{sign}{name}") for name in names for sign in ("", "-")],
        empty_label=None,
        label="Default: -created_at.",
    )


def client_key(request: Request) -> str:
    """Return the key under which a client may ask twice, from the header or the body; empty without one."""
    body = request.data.get("client_key") if hasattr(request.data, "get") else None
    return str(request.headers.get("Idempotency-Key") or body or "")[:200]


class UsagePagination(CountedPagination):
    django_paginator_class = KeysFirstPaginator


class UsageViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """List and read; subclasses create and change. ``scope`` says which services may write here."""

    lookup_value_converter = "int"
    pagination_class = UsagePagination
    scope: str = ""

    def valid(self, form: type[serializers.Serializer], **kwargs: Any) -> dict[str, Any]:
        """Return the request's data as ``form`` understands it. Raises ValidationError."""
        filled = form(data=self.request.data, context=self.get_serializer_context(), **kwargs)
        filled.is_valid(raise_exception=True)
        return filled.validated_data

    def answer(self, row: Any, code: int = status.HTTP_200_OK) -> Response:
        """Answer with the row as a list would show it. It may have been deleted meanwhile."""
        fresh = self.get_queryset().filter(pk=row.pk).first()
        if fresh is None:
            raise Http404
        return Response(self.get_serializer(fresh).data, status=code)

    @extend_schema(request=ConfirmationSerializer, responses={202: DeletionSerializer})
    def destroy(self, request: Request, pk: int) -> Response:
        """Delete the record and all that hangs under it: it is off every list at once, the rest follows."""
        form = self.valid(ConfirmationSerializer)
        deletion = delete_usage(row=self.get_object(), by=request.user, confirmation=form.get("confirmation") or "")
        return Response(DeletionSerializer(receipt(deletion)).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(responses=UsageImpactSerializer)
    @action(detail=True, methods=["get"], url_path="deletion-impact", filterset_class=None, pagination_class=None)
    def deletion_impact(self, request: Request, pk: int) -> Response:
        """Count what would go with the record; nothing is changed."""
        return Response(usage_impact(self.get_object()))


class ServiceWorkViewSet(UsageViewSet):
    """Records that services claim and report on."""

    def to_be_claimed(self) -> QuerySet:
        """Select what this user's services may claim."""
        return self.queryset.model.objects.visible_to(self.request.user)

    @extend_schema(
        request=ClaimRequestSerializer, responses={204: OpenApiResponse(description="Nothing waits.")}, parameters=[]
    )
    @action(detail=False, methods=["post"], filterset_class=None, pagination_class=None)
    def claim(self, request: Request) -> Response:
        """Take the oldest work that waits.

        The answer is the record, with `claim`, to be shown in all that is said of it from then on, and `lease_seconds`,
        within which something has to be said.
        """
        key = self.valid(ClaimRequestSerializer).get("client_key") or client_key(request)[:100]
        service = request.auth.name if isinstance(request.auth, ServiceToken) else request.user.username
        row = claim_next(rows=self.to_be_claimed(), by=request.user, service=service, client_key=key)
        if row is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        answer = self.answer(row)
        answer.data.update(claim=claim_of(row), lease_seconds=lease_seconds())
        return answer

    @extend_schema(request=HeartbeatSerializer, responses=HeartbeatAnswerSerializer)
    @action(detail=True, methods=["post"], filterset_class=None, pagination_class=None)
    def heartbeat(self, request: Request, pk: int) -> Response:
        """Hold on to claimed work. `cancelled` is true once it was stopped or deleted, or has ended."""
        said = self.valid(HeartbeatSerializer)
        row: ServiceWork | None = self.get_queryset().filter(pk=pk).first()
        if row is None:
            if was_mine(model=self.queryset.model, pk=pk, claim=said["claim"]):
                return Response({"cancelled": True, "status": "deleted", "lease_seconds": 0})
            raise Http404
        goes_on = heartbeat(row=row, **said)
        return Response(
            {"cancelled": not goes_on, "status": row.status, "lease_seconds": lease_seconds() if goes_on else 0}
        )


def lease_seconds() -> int:
    return int(settings.DEEPCAP_CLAIM_LEASE.total_seconds())

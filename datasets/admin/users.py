"""Users, with what they store: this room knows it, the accounts do not."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from datasets.models import Dataset, DatasetStatus
from datasets.services.quota import quota_of, stored_bytes
from deepcap.accounts.admin import UserAdmin
from deepcap.accounts.models import User
from deepcap.common import formatting
from deepcap.common.admin import as_size, link, list_of

admin.site.unregister(User)


@admin.register(User)
class StoringUserAdmin(UserAdmin):
    """The list tells the sum of the stored sizes, a user's page counts the bytes that the quota counts."""

    list_display = (*UserAdmin.list_display, "size_of_datasets", "quota")
    storage_fields = ("storage_quota_bytes", "quota", "used", "datasets")
    readonly_fields = (*UserAdmin.readonly_fields, "quota", "used", "datasets")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        owned = Dataset.objects.filter(owner=OuterRef("pk")).exclude(status=DatasetStatus.DELETING).order_by()
        sizes = owned.values("owner").annotate(total=Sum("size_bytes")).values("total")
        return super().get_queryset(request).annotate(dataset_bytes=Coalesce(Subquery(sizes), 0))

    @display(description=gettext_lazy("size of datasets"), ordering="dataset_bytes")
    def size_of_datasets(self, user: User) -> str:
        return formatting.size(user.dataset_bytes)

    @display(description=gettext_lazy("quota in force"))
    def quota(self, user: User) -> str:
        return as_size(quota_of(user))

    @display(description=gettext_lazy("counts against the quota"))
    def used(self, user: User) -> str:
        """Counted once a page: templates ask for the value of a field again and again."""
        if not hasattr(user, "counted_bytes"):
            user.counted_bytes = stored_bytes(user)
        return formatting.size(user.counted_bytes)

    @display(description=gettext_lazy("datasets"))
    def datasets(self, user: User) -> str:
        return link(list_of(Dataset, owner__id__exact=user.pk), gettext_lazy("Datasets"))

"""The operators' admin: what its side menu shows, to whom. A group whose entries are all hidden shows nothing."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

MENU = (
    (
        _("Data"),
        (
            ("datasets.dataset", _("Datasets"), "database"),
            ("datasets.study", _("Studies"), "folder_open"),
            ("datasets.image", _("Images"), "image"),
            ("datasets.galleryentry", _("Gallery"), "collections"),
        ),
    ),
    (
        _("Annotation"),
        (
            ("annotations.annotationdata", _("Annotation data"), "sell"),
            ("annotations.labelimport", _("Imports of labels"), "input"),
            ("annotations.labelproblem", _("Problems of labels"), "report"),
            ("annotations.derivation", _("Derivations"), "account_tree"),
            ("annotations.combination", _("Combinations"), "merge"),
            ("annotations.split", _("Splits"), "call_split"),
        ),
    ),
    (
        _("Work"),
        (
            ("datasets.upload", _("Uploads"), "upload"),
            ("datasets.ingest", _("Ingests"), "input"),
            ("datasets.ingestbatch", _("Ingest batches"), "stacks"),
            ("datasets.problem", _("Problems"), "report"),
            ("datasets.deletion", _("Deletions"), "delete_sweep"),
        ),
    ),
    (
        _("Usage"),
        (
            ("usage.annotationproject", _("Annotation projects"), "draw"),
            ("usage.annotationjob", _("Annotation jobs"), "assignment_ind"),
            ("usage.trainingtask", _("Training tasks"), "model_training"),
            ("usage.inferencejob", _("Inference jobs"), "batch_prediction"),
            ("usage.evaluation", _("Evaluations"), "fact_check"),
        ),
    ),
    (
        _("Vault"),
        (
            ("datasets.blob", _("Blobs"), "deployed_code"),
            ("datasets.storageremoval", _("Storage removals"), "delete"),
            ("datasets.writeintent", _("Write intents"), "edit_document"),
            ("datasets.vaultcandidate", _("Candidates"), "help"),
        ),
    ),
    (
        _("People"),
        (
            ("accounts.user", _("Users"), "person"),
            ("auth.group", _("Groups"), "group"),
            ("accounts.servicetoken", _("Service tokens"), "key"),
            ("accounts.notification", _("Notifications"), "notifications"),
            ("accounts.auditevent", _("Audit log"), "history"),
        ),
    ),
)


def unfold() -> dict[str, Any]:
    """Return the setting UNFOLD."""
    return {
        "SITE_TITLE": _("DeepCap operators"),
        "SITE_HEADER": _("DeepCap operators"),
        "SITE_URL": "/",
        "SITE_SYMBOL": "monitor_heart",
        "SITE_FAVICONS": [
            {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("console/favicon.svg")}
        ],
        "SHOW_HISTORY": True,
        "SHOW_VIEW_ON_SITE": False,
        "DASHBOARD_CALLBACK": "datasets.admin.dashboard.fill",
        "SIDEBAR": {
            "show_search": False,
            "show_all_applications": False,
            "navigation": [
                {
                    "title": None,
                    "items": [{"title": _("Overview"), "icon": "dashboard", "link": reverse_lazy("admin:index")}],
                },
                *(
                    {"title": title, "separator": True, "items": [_entry(*entry) for entry in entries]}
                    for title, entries in MENU
                ),
            ],
        },
    }


def _entry(label: str, title: str, icon: str) -> dict[str, Any]:
    name = label.replace(".", "_")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{name}_changelist"),
        "permission": _may_see(label),
    }


def _may_see(label: str) -> Callable[[HttpRequest], bool]:
    app, model = label.split(".")
    permissions = [f"{app}.{verb}_{model}" for verb in ("view", "change")]
    return lambda request: any(map(request.user.has_perm, permissions))

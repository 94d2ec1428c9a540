"""The roots: console, operators' admin, API, health, metrics."""

from csp.decorators import csp_update
from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from annotations.console.compare import DatasetCompare

from . import health
from .handlers import NoSuchEndpoint
from .metrics import metrics
from .policies import API_DOCS, OPERATORS, under_policy

handler400 = "deepcap.handlers.bad_request"
handler500 = "deepcap.handlers.server_error"

api = [
    path("", include("datasets.urls")),
    path("", include("annotations.urls")),
    path("", include("usage.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", csp_update(API_DOCS)(SpectacularSwaggerSplitView.as_view(url_name="api:schema")), name="docs"),
    re_path(r"^(.*/)?$", NoSuchEndpoint.as_view(), name="no-such-endpoint"),
]

operators, app_name, namespace = admin.site.urls

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="dataset-list"), name="home"),
    path("datasets/gallery/", include("annotations.console.gallery_urls")),
    path("datasets/combine/", include("annotations.console.combine.urls")),
    path("datasets/compare/", DatasetCompare.as_view(), name="dataset-compare"),
    path("datasets/", include("datasets.console.urls")),
    path("annotation-data/<int:pk>/splits/", include("annotations.console.splits.urls")),
    path("annotation-data/", include("annotations.console.urls")),
    path("", include("usage.console.urls")),
    path("viewer/", include("viewer.urls")),
    path("notifications/", include("deepcap.accounts.urls")),
    path("accounts/login/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("admin/", (under_policy(operators, OPERATORS), app_name, namespace)),
    path("api/v1/", include((api, "api"))),
    path("healthz/live", health.live, name="live"),
    path("healthz/ready", health.ready, name="ready"),
    path("metrics", metrics, name="metrics"),
]

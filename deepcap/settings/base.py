"""Settings shared by every deployment. Everything that differs between machines is an environment variable.

With none set, DeepCap runs embedded: SQLite, local files and a broker made of files, all below ``DEEPCAP_DATA_DIR``.
"""

from datetime import timedelta
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from .operators import unfold
from .storage import browser_origins, vault_from

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = Path(env("DEEPCAP_DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
VERSION = "0.1.0"

SECRET_KEY = env("DEEPCAP_SECRET_KEY", default="")
DEBUG = False
ALLOWED_HOSTS = env.list("DEEPCAP_ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("DEEPCAP_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "csp",
    "django_filters",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "storages",
    "deepcap.common",
    "deepcap.accounts",
    "datasets",
    "annotations",
    "usage",
    "viewer",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "deepcap.common.middleware.DomainErrorMiddleware",
]

ROOT_URLCONF = "deepcap.urls"
WSGI_APPLICATION = "deepcap.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "deepcap" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "deepcap.common.context_processors.product",
            ],
        },
    },
]

# --- database ---------------------------------------------------------------------------------------------------------

DATABASE_URL = env("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a writer waits for its turn at BEGIN instead of failing half way
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;",
    }
elif DATABASES["default"]["ENGINE"].endswith("postgresql"):
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DEEPCAP_DB_CONN_MAX_AGE", default=60)

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- objects ----------------------------------------------------------------------------------------------------------

VAULT = vault_from(env, DATA_DIR)
DEEPCAP_S3_PUBLIC_URL = env("DEEPCAP_S3_PUBLIC_URL", default=None)  # where browsers reach the S3 endpoint

STORAGES = {
    "default": VAULT,
    "vault": VAULT,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

STATIC_URL = "/static/"
STATIC_ROOT = Path(env("DEEPCAP_STATIC_ROOT", default=str(DATA_DIR / "static")))
STATICFILES_DIRS = [BASE_DIR / "deepcap" / "static"]

# --- limits (product.md P4, P13, P17) ---------------------------------------------------------------------------------

DEEPCAP_MAX_ZIP_BYTES = env.int("DEEPCAP_MAX_ZIP_BYTES", default=20 * 1024**3)
DEEPCAP_MIN_IMAGE_SIDE = env.int("DEEPCAP_MIN_IMAGE_SIDE", default=16)
DEEPCAP_MAX_IMAGE_SIDE = env.int("DEEPCAP_MAX_IMAGE_SIDE", default=16384)
DEEPCAP_PATIENT_KEY_SECRET = env("DEEPCAP_PATIENT_KEY_SECRET", default="")  # default: the secret key
DEEPCAP_TRASH_DAYS = env.int("DEEPCAP_TRASH_DAYS", default=0)
DEEPCAP_DEFAULT_QUOTA_BYTES = env.int("DEEPCAP_DEFAULT_QUOTA_BYTES", default=0) or None
DEEPCAP_UPLOAD_EXPIRES = timedelta(hours=env.int("DEEPCAP_UPLOAD_EXPIRES_HOURS", default=72))
DEEPCAP_BLOB_GRACE = timedelta(seconds=env.int("DEEPCAP_BLOB_GRACE_SECONDS", default=15))
DEEPCAP_LEASE = timedelta(seconds=env.int("DEEPCAP_LEASE_SECONDS", default=60))
DEEPCAP_CLAIM_LEASE = timedelta(seconds=env.int("DEEPCAP_CLAIM_LEASE_SECONDS", default=120))
DEEPCAP_CLAIM_ATTEMPTS = env.int("DEEPCAP_CLAIM_ATTEMPTS", default=5)
DEEPCAP_INGEST_WIDTH = env.int("DEEPCAP_INGEST_WIDTH", default=16)
DEEPCAP_DECODER_SECONDS = env.int("DEEPCAP_DECODER_SECONDS", default=60)
DEEPCAP_DECODER_MEMORY_BYTES = env.int("DEEPCAP_DECODER_MEMORY_BYTES", default=4 * 1024**3)

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024**2  # forms only: files stream to disk, parts are read in slices
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "deepcap.uploading.NamelessFileUploadHandler",
]
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "tmp"
FILE_UPLOAD_PERMISSIONS = 0o600

# --- background work --------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = env("CELERY_BROKER_URL", default="filesystem://localhost")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
if CELERY_BROKER_URL.startswith("filesystem://"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(DATA_DIR / "queue"),
        "data_folder_out": str(DATA_DIR / "queue"),
        "control_folder": str(DATA_DIR / "queue-control"),
        "polling_interval": 0.2,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}  # above the longest hard limit, 1.1 times and more
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = 25 * 60
CELERY_TASK_TIME_LIMIT = 30 * 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 2
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 600_000  # KiB, looked at between tasks
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "sweep-work": {"task": "datasets.tasks.sweep_work", "schedule": 5.0, "options": {"expires": 5}},
    "sweep-annotation-work": {
        "task": "annotations.tasks.sweep_annotation_work",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "sweep-vault": {"task": "datasets.tasks.sweep_vault", "schedule": 30.0, "options": {"expires": 30}},
    "sweep-mails": {"task": "deepcap.accounts.tasks.sweep_mails", "schedule": 300.0, "options": {"expires": 300}},
    "sweep-claims": {"task": "usage.tasks.sweep_claims", "schedule": 15.0, "options": {"expires": 15}},
    "recount-usage": {"task": "usage.tasks.recount_usage", "schedule": 3600.0, "options": {"expires": 3600}},
    "recount": {"task": "datasets.tasks.recount", "schedule": 3600.0, "options": {"expires": 3600}},
    "recount-annotations": {
        "task": "annotations.tasks.recount_annotations",
        "schedule": 24 * 3600.0,
        "options": {"expires": 24 * 3600},
    },
}

DEEPCAP_METRICS_TOKEN = env("DEEPCAP_METRICS_TOKEN", default="")  # for scrapers of /metrics

# --- people -----------------------------------------------------------------------------------------------------------

# People are written to when something they work on is deleted. Without EMAIL_URL mails appear in the workers' output.
_mail = env.email_url("EMAIL_URL", default="consolemail://")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"] or "localhost", _mail["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"] or "", _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = _mail["EMAIL_FILE_PATH"] or None
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env("DEEPCAP_MAIL_FROM", default="DeepCap <deepcap@localhost>")
DEEPCAP_PUBLIC_URL = env("DEEPCAP_PUBLIC_URL", default="")  # where people reach this installation, for mails

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hant", _("Traditional Chinese"))]
LOCALE_PATHS = [BASE_DIR / "deepcap" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- what a browser may do --------------------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "SAMEORIGIN"
_storage_origins = browser_origins(VAULT, DEEPCAP_S3_PUBLIC_URL)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, "'wasm-unsafe-eval'"],
        "worker-src": [SELF],
        "connect-src": [SELF, *_storage_origins],
        "img-src": [SELF, "blob:", "data:", *_storage_origins],
        "style-src": [SELF],
        "font-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
    }
}

# --- API --------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "deepcap.accounts.authentication.ServiceTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "deepcap.accounts.permissions.WithinScopes",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "deepcap.common.parsers.JSONParser",
        "rest_framework.parsers.MultiPartParser",
        "deepcap.common.parsers.FormParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "deepcap.common.api.CountedPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "deepcap.common.api.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DeepCap",
    "DESCRIPTION": "Datasets of medical images: upload, read, annotate, delete.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "WorkStatusEnum": "usage.api.training_tasks.STATUSES",
        "ProjectStatusEnum": "usage.api.annotation_projects.STATUSES",
        "JobStatusEnum": "usage.api.annotation_jobs.STATUSES",
        "MemberStateEnum": "usage.models.MemberState",
        "StudyStateEnum": "usage.models.StudyState",
    },
}

UNFOLD = unfold()

# --- logs -------------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("DEEPCAP_LOG_LEVEL", default="WARNING")},
    "loggers": {"deepcap": {"level": "INFO"}, "datasets": {"level": "INFO"}},
}

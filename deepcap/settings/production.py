"""Many machines behind TLS. Refuses to start on a value that would put patients' images at risk."""

from django.core.exceptions import ImproperlyConfigured

from .base import *

if len(SECRET_KEY) < 40 or len(set(SECRET_KEY)) < 10:
    raise ImproperlyConfigured("DEEPCAP_SECRET_KEY must be set to at least 40 random characters.")
if "*" in ALLOWED_HOSTS or not env.list("DEEPCAP_ALLOWED_HOSTS", default=[]):
    raise ImproperlyConfigured("DEEPCAP_ALLOWED_HOSTS must list the host names DeepCap is served under, and not *.")
if not DATABASES["default"]["ENGINE"].endswith("postgresql"):
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database.")
if CELERY_BROKER_URL.startswith(("filesystem:", "memory:")):
    raise ImproperlyConfigured("CELERY_BROKER_URL must name a broker that all machines reach, for example redis://…")

FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)

SECURE_SSL_REDIRECT = env.bool("DEEPCAP_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^healthz/", r"^metrics$"]
SECURE_HSTS_SECONDS = env.int("DEEPCAP_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

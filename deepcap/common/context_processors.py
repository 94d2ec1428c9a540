"""What every page shows of the product itself."""

from django.conf import settings
from django.http import HttpRequest


def product(request: HttpRequest) -> dict[str, object]:
    return {"product_version": settings.VERSION, "max_upload_bytes": settings.DEEPCAP_MAX_ZIP_BYTES}

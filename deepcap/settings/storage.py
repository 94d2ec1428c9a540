"""Where objects are kept, and where browsers fetch them, out of environment variables."""

from pathlib import Path
from typing import Any

import environ
from botocore.config import Config


def vault_from(env: environ.Env, data_dir: Path) -> dict[str, Any]:
    """Return the entry of STORAGES that ``DEEPCAP_STORAGE`` names: ``file:[/path]`` or ``s3://bucket[/prefix]``."""
    storage = env("DEEPCAP_STORAGE", default="file:")
    if storage.startswith("file:"):
        location = storage.removeprefix("file:") or str(data_dir / "objects")
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": location}}
    if not storage.startswith("s3://"):
        raise ValueError(f"DEEPCAP_STORAGE must be file:[/path] or s3://bucket[/prefix], not {storage!r}.")

    bucket, _, prefix = storage.removeprefix("s3://").partition("/")
    region = env("AWS_S3_REGION_NAME", default="us-east-1")
    endpoint = env("AWS_S3_ENDPOINT_URL", default=None)
    # The checksum trailers that boto3 sends to AWS by default are refused, or answered wrongly, by other services.
    checksums = env("DEEPCAP_S3_CHECKSUMS", default="when_required" if endpoint else "when_supported")
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": env("DEEPCAP_S3_ADDRESSING", default="path" if endpoint else "virtual")},
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
        connect_timeout=10,
        read_timeout=30,
        retries={"mode": "standard", "max_attempts": 4},
        max_pool_connections=32,
    )
    options = {
        "bucket_name": bucket,
        "location": prefix,
        "access_key": env("AWS_ACCESS_KEY_ID", default=None),
        "secret_key": env("AWS_SECRET_ACCESS_KEY", default=None),
        "endpoint_url": endpoint or f"https://s3.{region}.amazonaws.com",
        "region_name": region,
        "client_config": config,
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


def browser_origins(vault: dict[str, Any], public_url: str | None) -> list[str]:
    """Return the origins that pages must be allowed to fetch objects from: none, unless they are in a bucket."""
    options = vault["OPTIONS"]
    if "bucket_name" not in options:
        return []
    scheme, _, host = (public_url or options["endpoint_url"]).rstrip("/").partition("://")
    if options["client_config"].s3["addressing_style"] == "virtual":
        host = f"{options['bucket_name']}.{host}"
    return [f"{scheme}://{host}"]

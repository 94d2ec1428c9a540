"""Names of objects: made here, used once, never from a digest alone and never from what a person typed."""

from __future__ import annotations

import re
import secrets

PARTIAL = ".partial"  # an object that is still being written carries this behind its key
_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def new_batch_prefix() -> str:
    """Return a prefix nobody has used or will use: 80 random bits, spread over 256 folders."""
    name = secrets.token_hex(10)
    return f"blobs/{name[:2]}/{name}/"


def new_upload_key() -> str:
    """Return a key for an upload's bytes that nobody has used or will use."""
    return f"uploads/{secrets.token_hex(12)}"


def stem_of(prefix: str, number: int) -> str:
    """Return the stem of a batch's blob ``number``. Of fixed width, so that no stem begins with another."""
    return f"{prefix}{number:06d}"


def family_of(stem: str) -> str:
    """Return what the keys of all objects of the blob ``stem`` begin with, and no other object's."""
    return f"{stem}."


def is_family(prefix: str) -> bool:
    """Say whether a prefix covers one blob alone, whose objects are complete, not a batch or an upload."""
    return prefix.endswith(".")


def stem_in(key: str) -> str:
    """Return the stem of the blob that ``key`` would belong to: all up to the first dot of its last segment."""
    folder, slash, name = key.rpartition("/")
    return f"{folder}{slash}{name.partition('.')[0]}"


def claims_on(key: str) -> list[str]:
    """Return every prefix by which a row of ours may claim ``key``: its folders, its family, itself."""
    folders = [key[: i + 1] for i, character in enumerate(key) if character == "/"]
    family = family_of(stem_in(key))
    return [*folders, *([family] if key.startswith(family) else []), key.removesuffix(PARTIAL)]


def check_key(key: str) -> str:
    """Return ``key``. Raises ValueError if it is not a relative path of plain segments: it would be our own fault."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} cannot be a storage key.")
    return key


def check_prefix(prefix: str) -> str:
    """Return ``prefix``. Raises ValueError if it could match more than one batch, blob or upload."""
    body = check_key(prefix.rstrip("/."))
    if body.count("/") < (2 if body.startswith("blobs/") else 1):
        raise ValueError(f"{prefix!r} would cover objects of others.")
    return prefix

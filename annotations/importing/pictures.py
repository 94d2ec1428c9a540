"""Images that LabelMe files hold within themselves become images of the dataset while the upload is read."""

from __future__ import annotations

import posixpath

from annotations import formats
from annotations.formats.base import LabelError, base_name, folder, stem
from datasets.hooks import Picture, PictureUnreadable

SUFFIX = ".json"
MARK = b'"imageData"'
PNG = b"\x89PNG"


def find_picture(path: str, data: bytes) -> Picture | None:
    """Return the image within a LabelMe file; see ``datasets.hooks.FindingPicture``.

    It becomes the image that lies beside the file and has its name, so that no two files name the same. A file that is
    no sound LabelMe file holds none: what is wrong with it is told when its labels are read.
    """
    if not path.lower().endswith(SUFFIX) or MARK not in data:
        return None
    try:
        found = formats.embedded_image(path, data)
    except LabelError as error:
        raise PictureUnreadable(error.message) from error
    if found is None:
        return None
    beside, named = folder(path), found.name.replace("\\", "/")
    own = posixpath.join(beside, stem(path) + (".png" if found.data.startswith(PNG) else ".jpg"))
    meant = posixpath.normpath(posixpath.join(beside, named))
    return Picture((meant, posixpath.join(beside, base_name(named)), own), found.data)

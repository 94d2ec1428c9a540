"""Where the files of a request are kept while it lasts: on disk, under no name, so that none outlives its process."""

from __future__ import annotations

import tempfile
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

AROUND_A_FILE = 16 * 1024**2  # bytes: what else a form may hold


class NamelessFileUploadHandler(FileUploadHandler):
    """Takes what Django's ``TemporaryFileUploadHandler`` takes. The kernel frees the file when the process ends.

    What Django's leaves behind when a process is killed are patients' images.
    """

    def handle_raw_input(self, input_data: Any, meta: Any, content_length: int, *args: Any, **kwargs: Any) -> None:
        """Refuse at once what is larger than anything that is taken in."""
        if content_length > settings.DEEPCAP_MAX_ZIP_BYTES + AROUND_A_FILE:
            raise RequestDataTooBig(f"A request of {content_length} bytes.")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.file = tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR)  # noqa: SIM115 - the request closes it

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile:
        self.file.seek(0)
        return UploadedFile(
            self.file, self.file_name, self.content_type, file_size, self.charset, self.content_type_extra
        )

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()

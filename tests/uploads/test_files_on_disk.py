"""The files of a request: never under a name that a killed process would leave behind."""

import os

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import load_handler
from django.test import RequestFactory

from deepcap import uploading
from deepcap.uploading import NamelessFileUploadHandler

LARGE = bytes(range(256)) * 16 * 1024  # 4 MiB: more than is kept in memory


@pytest.fixture
def folder(settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    return tmp_path


def test_a_large_file_arrives_whole_and_has_no_name_on_disk(folder):
    request = RequestFactory().post("/", {"file": SimpleUploadedFile("a study.zip", LARGE), "name": "x"})
    file = request.FILES["file"]
    assert any(isinstance(handler, NamelessFileUploadHandler) for handler in request.upload_handlers)
    assert (file.name, file.size, file.multiple_chunks()) == ("a study.zip", len(LARGE), True)
    assert b"".join(file.chunks()) == LARGE
    assert file.seek(5) == 5
    assert file.read(3) == LARGE[5:8]
    assert os.fstat(file.fileno()).st_nlink == 0
    assert list(folder.iterdir()) == []
    request.close()
    assert file.closed


def test_an_upload_that_breaks_off_gives_its_file_back(folder):
    handler = load_handler("deepcap.uploading.NamelessFileUploadHandler", RequestFactory().post("/"))
    handler.upload_interrupted()  # before the first file
    handler.new_file("file", "a.zip", "application/zip", None)
    handler.receive_data_chunk(LARGE, 0)
    assert list(folder.iterdir()) == []
    handler.upload_interrupted()
    assert handler.file.closed


def test_a_name_of_any_length_can_be_stored(folder):
    request = RequestFactory().post("/", {"file": SimpleUploadedFile("a." + "x" * 400, LARGE)})
    assert request.FILES["file"].size == len(LARGE)
    request.close()


def test_a_request_larger_than_any_file_is_refused_before_it_is_kept(folder, settings, monkeypatch):
    settings.DEEPCAP_MAX_ZIP_BYTES = 1024
    monkeypatch.setattr(uploading, "AROUND_A_FILE", 1024)
    monkeypatch.setattr(NamelessFileUploadHandler, "new_file", None)
    request = RequestFactory().post("/", {"name": "x", "file": SimpleUploadedFile("a.zip", LARGE)})
    with pytest.raises(RequestDataTooBig):
        _ = request.FILES

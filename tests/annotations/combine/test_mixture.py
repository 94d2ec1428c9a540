"""DICOM and raster files in one dataset: each is shown with its own grey values."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from annotations import tasks
from annotations.services.combinations import Wanted, combine_datasets
from datasets.models import Image
from tests.builders import zip_of
from tests.ingest.conftest import upload, work_on

pytestmark = pytest.mark.django_db

CT = Path(__file__).resolve().parents[2] / "data" / "imaging" / "dicom" / "pydicom" / "CT_small.dcm"


def test_dicom_and_raster_files_keep_their_grey_values(api, user, monkeypatch):
    for name in ("advance_ingest", "read_batch"):
        monkeypatch.setattr(f"datasets.tasks.{name}.delay", lambda *_: None)
        monkeypatch.setattr(f"datasets.tasks.{name}.delay_on_commit", lambda *_: None)
    grey = np.linspace(0, 65535, 40 * 30).astype(np.uint16).reshape(30, 40)
    png = io.BytesIO()
    Picture.fromarray(grey).save(png, "png")
    a = work_on(upload(user, zip_of([("ct.dcm", CT.read_bytes())]), "a.zip"))
    b = work_on(upload(user, zip_of([("ramp.png", png.getvalue())]), "b.zip"))
    dataset = combine_datasets(wanted=Wanted([{"dataset": a.pk}, {"dataset": b.pk}]), by=user, name="both")
    tasks.run_combination(dataset.combination.pk)
    dataset.refresh_from_db()
    assert (dataset.status, dataset.image_format) == ("available", "DICOM, JPG/PNG")
    for source in (a, b):
        before = Image.objects.get(dataset=source)
        after = Image.objects.get(dataset=dataset, path=before.path)
        answers = [b"".join(api.get(f"/api/v1/images/{image.pk}/file/")) for image in (before, after)]
        assert answers[0] == answers[1]
        drawn = [api.get(f"/api/v1/images/{image.pk}/rendered/") for image in (before, after)]
        assert [answer.status_code for answer in drawn] == [200, 200]
        assert drawn[0].content == drawn[1].content
        assert after.attributes == before.attributes
        assert (after.window_center, after.bits_stored) == (before.window_center, before.bits_stored)

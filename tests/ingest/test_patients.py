"""Studies of one patient have one key, and nothing that is stored names anybody."""

import io
from pathlib import Path

import pydicom
import pytest
from django.apps import apps

from datasets.ingest.patients import patient_key
from datasets.models import Study

pytestmark = pytest.mark.django_db

CT = Path(__file__).resolve().parents[1] / "data" / "imaging" / "dicom" / "pydicom" / "CT_small.dcm"


def of_patient(study, **attributes):
    """Return a DICOM file as another study, of a patient with these attributes."""
    dataset = pydicom.dcmread(CT)
    for keyword in ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate"):
        setattr(dataset, keyword, attributes.get(keyword, ""))
    dataset.StudyInstanceUID = f"1.2.3.{study}"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{study}.1"
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return (f"{study}.dcm", buffer.getvalue())


def test_one_patient_has_one_key_and_no_identifier_is_stored(ingest):
    number = {"PatientID": "secret-4711", "PatientName": "Curie^Marie"}
    born = {"PatientName": "Curie^Marie", "PatientBirthDate": "18671107"}
    files = [
        of_patient(1, **number),
        of_patient(2, PatientID="secret-4711", PatientName="Sklodowska^Maria"),
        of_patient(3, **number, IssuerOfPatientID="elsewhere"),
        of_patient(4, **born),
        of_patient(5, **{**born, "PatientName": "CURIE^MARIE^^^"}),
        of_patient(6, PatientName="Curie^Marie"),
    ]
    dataset = ingest(files)
    keys = dict(Study.objects.filter(dataset=dataset).values_list("study_instance_uid", "patient_key"))
    one, two, three, four, five, six = (keys[f"1.2.3.{n}"] for n in range(1, 7))
    assert one == two != ""
    assert four == five != ""
    assert len({one, three, four}) == 3
    assert six == ""
    for model in apps.get_models():
        stored = str(list(model._base_manager.values()))
        assert "secret-4711" not in stored and "Curie" not in stored, model


def test_the_key_depends_on_the_installation(settings):
    key = patient_key("id\x1f\x1f4711")
    settings.DEEPCAP_PATIENT_KEY_SECRET = "another installation"
    assert patient_key("id\x1f\x1f4711") != key
    assert patient_key("") == ""

import io

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from annotations.formats import Geometry, Images
from tests.shared import FOLDER

from .kit import MemoryFile, image, read_one

SERIES = [
    image(
        f"{place}.dcm",
        40,
        30,
        place + 1,
        sop_instance_uid=f"1.2.{place}",
        series_instance_uid="1.9",
        geometry=Geometry((-10.0, -20.0, 5.0 * place), (1, 0, 0, 0, 1, 0), (0.5, 2.0)),
    )
    for place in range(3)
]
IMAGES = Images(SERIES)


def square(left, top, right, bottom, z):
    """Return the corners, in millimetres, of a rectangle of whole pixels."""
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return [value for x, y in corners for value in (-10 + 2.0 * (x - 0.5), -20 + 0.5 * (y - 0.5), z)]


def structure_set(*contours, refer=False, series="", space=""):
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.3", "1.2.3"
    region, roi = Dataset(), Dataset()
    region.ROINumber, region.ROIName = 7, "Leber"
    dataset.StructureSetROISequence = Sequence([region])
    if space:
        region.ReferencedFrameOfReferenceUID = space
    if series:
        frame, study, named = Dataset(), Dataset(), Dataset()
        named.SeriesInstanceUID = series
        study.RTReferencedSeriesSequence = Sequence([named])
        frame.RTReferencedStudySequence = Sequence([study])
        dataset.ReferencedFrameOfReferenceSequence = Sequence([frame])
    roi.ReferencedROINumber = 7
    roi.ContourSequence = Sequence()
    for kind, points in contours:
        one = Dataset()
        one.ContourGeometricType, one.NumberOfContourPoints, one.ContourData = kind, len(points) // 3, points
        if refer:
            source = Dataset()
            source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.1"
            one.ContourImageSequence = Sequence([source])
        roi.ContourSequence.append(one)
    dataset.ROIContourSequence = Sequence([roi])
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    content = io.BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    return MemoryFile("rs.dcm", content.getvalue())


@pytest.mark.parametrize("refer", [False, True])
def test_contours_are_drawn_where_they_lie_with_their_holes(refer):
    file = structure_set(
        ("CLOSED_PLANAR", square(5, 6, 20, 25, 5.0)), ("CLOSED_PLANAR", square(8, 10, 12, 15, 5.0)), refer=refer
    )
    result = read_one([file], IMAGES)
    assert result.problems == []
    (found,) = result.found
    expected = np.zeros((30, 40), bool)
    expected[6:25, 5:20] = True
    expected[10:15, 8:12] = False
    assert (found.image, found.label) == (2, "Leber")
    assert np.array_equal(found.mask.decode(), expected)


def test_a_single_contour_keeps_its_points():
    (found,) = read_one([structure_set(("CLOSED_PLANAR", square(5, 6, 20, 25, 0.0)))], IMAGES).found
    assert found.polygons == [[5, 6, 20, 6, 20, 25, 5, 25]]


def test_what_encloses_nothing_or_lies_nowhere_is_named():
    file = structure_set(
        ("POINT", [0.0, 0.0, 0.0]),
        ("CLOSED_PLANAR", square(5, 6, 20, 25, 99.0)),
        ("CLOSED_PLANAR", [1.0, 2.0, 0.0]),
        ("CLOSED_PLANAR", square(-9, -9, -3, -3, 0.0)),
    )
    assert [(problem.row, problem.code) for problem in read_one([file], IMAGES).problems] == [
        (1, "label_shape_unsupported"),
        (2, "label_image_unknown"),
        (3, "label_row_invalid"),
        (4, "label_mask_empty"),
    ]


def test_a_bare_structure_set_is_recognised():
    path = FOLDER / "dicom" / "pydicom" / "rtstruct.dcm"
    if not path.exists():
        pytest.skip("rtstruct.dcm is not here")
    result = read_one([MemoryFile("rtstruct.dcm", path.read_bytes())], IMAGES)
    assert {one.name for one in result.labels} == {"patient", "Isocenter 1", "Isocenter 2"}
    assert {problem.code for problem in result.problems} == {"label_image_unknown", "label_shape_unsupported"}


def test_contours_of_another_patient_find_no_slices_that_lie_where_they_lie():
    """Slices of two patients at the same places: what the structure set names decides."""
    two = Images(
        [
            *(ref._replace(frame_of_reference_uid="1.5.1") for ref in SERIES),
            *(
                ref._replace(
                    id=ref.id + 10,
                    path=f"b/{ref.path}",
                    sop_instance_uid=f"1.3.{ref.id}",
                    series_instance_uid="1.8",
                    frame_of_reference_uid="1.5.2",
                )
                for ref in SERIES
            ),
        ]
    )
    contour = ("CLOSED_PLANAR", square(5, 6, 20, 25, 5.0))

    def images_of(images, **named):
        result = read_one([structure_set(contour, **named)], images)
        codes = [problem.code for problem in result.problems]
        assert codes == ([] if result.found else ["label_image_unknown"])
        return [one.image for one in result.found]

    assert images_of(two, series="1.8") == [12]
    assert images_of(two, series="1.9") == [2]
    assert images_of(two, space="1.5.2") == [12]
    assert images_of(two, series="1.7", space="1.5.1") == [2]  # a series that was not uploaded, in the same coordinates
    assert images_of(two, series="1.7") == images_of(two, space="1.5.3") == images_of(two) == []
    assert images_of(IMAGES) == [2]
    assert images_of(IMAGES, series="1.7") == []

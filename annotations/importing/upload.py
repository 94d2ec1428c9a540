"""The label files of an uploaded dataset: found among what became no image, kept, and read before it is published."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from django.db import transaction
from django.db.models import Q

from annotations import formats
from annotations.formats.base import LabelSet
from annotations.formats.images import Images
from annotations.models import LabelImport, SourceKind
from datasets.hooks import LeftOut
from datasets.models import Dataset, Image
from deepcap.common.leases import OPEN_STATES, WorkState

from .bundles import Stored, store_files, writing
from .creation import create, name_in
from .images import images_of
from .sets import to_json
from .work import run

Taken = Callable[[Collection[str]], None]
Beat = Callable[[], None]

_CLASS_FOLDERS = Q(path__istartswith="classes/") | Q(path__icontains="/classes/")


def read_labels(*, dataset_id: int, files: Callable[[], Sequence[LeftOut]], taken: Taken, beat: Beat) -> None:
    """Read every set of labels of an upload into annotation data of its own; see ``datasets.hooks.ReadingLabels``."""
    known = _Known()
    imports = LabelImport.objects.filter(dataset=dataset_id)
    if not imports.exists():
        _gather(dataset_id, files(), images=known, taken=taken, beat=beat)
    for pk in list(imports.filter(state__in=OPEN_STATES).order_by("pk").values_list("pk", flat=True)):
        # Whoever held it worked for this same ingest and has lost that by now.
        imports.filter(pk=pk, state=WorkState.RUNNING).update(
            state=WorkState.PENDING, lease_token=None, lease_until=None
        )
        run(pk, images=known, beat=beat)
        beat()


class _Known:
    """The images of the dataset, loaded once however many sets refer to them."""

    def __init__(self) -> None:
        self._images: Images | None = None

    def __call__(self, dataset_id: int) -> Images:
        if self._images is None:
            self._images = images_of(dataset_id)
        return self._images


def _gather(
    dataset_id: int, files: Sequence[LeftOut], *, images: Callable[[int], Images], taken: Taken, beat: Beat
) -> None:
    """Move the label files of the upload into the vault, with an import and annotation data for each set: all or none.

    A set without files are the folders that images lie in.
    """
    if not files and not Image.objects.filter(_CLASS_FOLDERS, dataset=dataset_id).exists():
        return
    sets = formats.detect(files, images(dataset_id))
    beat()
    if not sets:
        return
    dataset = Dataset.objects.select_related("owner", "upload").get(pk=dataset_id)
    with writing() as writer:
        bundles: dict[tuple[str, ...], Stored] = {}
        for found in sets:
            paths = tuple(file.path for file in found.files)
            if paths not in bundles:
                bundles[paths] = store_files(found.files, writer=writer, beat=beat)
        with transaction.atomic():
            blobs = writer.commit({stored.digest for stored in bundles.values()})
            for found in sets:
                stored = bundles[tuple(file.path for file in found.files)]
                _create(dataset, found, blob_id=blobs[stored.digest])
            taken({path for paths in bundles for path in paths})


def _create(dataset: Dataset, found: LabelSet, *, blob_id: int) -> None:
    data = create(
        dataset=dataset,
        name=name_in(dataset, found.suffix or f"_{found.name}"),
        by=dataset.owner,
        annotation_type=found.annotation_type or "",
        source_kind=SourceKind.LOCAL_UPLOAD,
        source_detail={"name": dataset.upload.filename},
    )
    LabelImport.objects.create(
        dataset=dataset,
        annotation_data=data,
        blob_id=blob_id,
        filename=found.files[0].path if len(found.files) == 1 else dataset.upload.filename,
        file_format=found.format,
        options={"set": to_json(found, all_files=len(found.files))},
        requested_by=dataset.owner,
    )

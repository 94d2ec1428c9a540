"""What was uploaded: datasets, their studies and images, the blobs behind them, how they came in and how they go."""

from .blob import Blob, StorageRemoval, VaultCandidate, WriteIntent
from .dataset import Dataset, DatasetOpening, DatasetStatus, Origin
from .deletion import Deletion, DeletionStage
from .gallery import GalleryEntry
from .image import Image
from .ingest import Container, Ingest, IngestBatch, IngestStage, Outcome, Problem
from .source import DatasetSource
from .study import Series, Study
from .upload import Upload, UploadPart, UploadState

__all__ = [
    "Blob",
    "Container",
    "Dataset",
    "DatasetOpening",
    "DatasetSource",
    "DatasetStatus",
    "Deletion",
    "DeletionStage",
    "GalleryEntry",
    "Image",
    "Ingest",
    "IngestBatch",
    "IngestStage",
    "Origin",
    "Outcome",
    "Problem",
    "Series",
    "StorageRemoval",
    "Study",
    "Upload",
    "UploadPart",
    "UploadState",
    "VaultCandidate",
    "WriteIntent",
]

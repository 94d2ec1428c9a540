"""What people and models said about images: annotation data, their labels, the annotations, and how they came in."""

from .annotation import Annotation, Kind
from .annotation_data import AnnotatedImage, AnnotationData, AnnotationDataStatus, AnnotationType, SourceKind
from .combination import Combination, CombinationStage, Duplicates, OnConflict
from .derivation import Derivation, Operation
from .label import Label
from .label_import import ImportStage, LabelImport, LabelProblem
from .split import Split, SplitMember
from .statistics import Statistics

__all__ = [
    "AnnotatedImage",
    "Annotation",
    "AnnotationData",
    "AnnotationDataStatus",
    "AnnotationType",
    "Combination",
    "CombinationStage",
    "Derivation",
    "Duplicates",
    "ImportStage",
    "Kind",
    "Label",
    "LabelImport",
    "LabelProblem",
    "OnConflict",
    "Operation",
    "SourceKind",
    "Split",
    "SplitMember",
    "Statistics",
]

"""The annotation data's part of the API, below ``/api/v1/``."""

from django.urls import path

from .api.annotation_data import (
    AnnotationDataConvert,
    AnnotationDataDetail,
    AnnotationDataFile,
    AnnotationDataKeep,
    DatasetAnnotationData,
)
from .api.combine import CombineDatasets, CombinePreview
from .api.compare import CompareDatasets, CompareStudies
from .api.deletions import AnnotationDataDeletionImpact
from .api.exports import AnnotationDataExport
from .api.images import AnnotationDataImage, AnnotationDataImages
from .api.reports import AnnotationDataReport, AnnotationDataReportCsv
from .api.splits import (
    AnnotationDataSplit,
    AnnotationDataSplitDatasets,
    AnnotationDataSplitPreview,
    AnnotationDataSplits,
    AnnotationDataSplitStudies,
    DatasetSplit,
)
from .api.statistics import AnnotationDataStatistics, AnnotationDataStatisticsCsv

ONE = "annotation-data/<int:pk>/"
SPLIT = f"{ONE}splits/<int:split_id>/"

urlpatterns = [
    path("datasets/combine/", CombineDatasets.as_view(), name="combine-datasets"),
    path("datasets/combine/preview/", CombinePreview.as_view(), name="combine-preview"),
    path("datasets/compare/", CompareDatasets.as_view(), name="compare-datasets"),
    path("datasets/compare/studies/", CompareStudies.as_view(), name="compare-studies"),
    path("datasets/<int:pk>/annotation-data/", DatasetAnnotationData.as_view(), name="dataset-annotation-data"),
    path("datasets/<int:pk>/split/", DatasetSplit.as_view(), name="dataset-split"),
    path(ONE, AnnotationDataDetail.as_view(), name="annotation-data-detail"),
    path(f"{ONE}keep/", AnnotationDataKeep.as_view(), name="annotation-data-keep"),
    path(f"{ONE}file/", AnnotationDataFile.as_view(), name="annotation-data-file"),
    path(f"{ONE}convert/", AnnotationDataConvert.as_view(), name="annotation-data-convert"),
    path(f"{ONE}report/", AnnotationDataReport.as_view(), name="annotation-data-report"),
    path(f"{ONE}report.csv", AnnotationDataReportCsv.as_view(), name="annotation-data-report-csv"),
    path(f"{ONE}statistics/", AnnotationDataStatistics.as_view(), name="annotation-data-statistics"),
    path(f"{ONE}statistics.csv", AnnotationDataStatisticsCsv.as_view(), name="annotation-data-statistics-csv"),
    path(f"{ONE}images/", AnnotationDataImages.as_view(), name="annotation-data-images"),
    path(f"{ONE}images/<int:image_id>/", AnnotationDataImage.as_view(), name="annotation-data-image"),
    path(f"{ONE}export/", AnnotationDataExport.as_view(), name="annotation-data-export"),
    path(f"{ONE}splits/", AnnotationDataSplits.as_view(), name="annotation-data-splits"),
    path(f"{ONE}splits/preview/", AnnotationDataSplitPreview.as_view(), name="annotation-data-split-preview"),
    path(SPLIT, AnnotationDataSplit.as_view(), name="annotation-data-split"),
    path(f"{SPLIT}studies/", AnnotationDataSplitStudies.as_view(), name="annotation-data-split-studies"),
    path(f"{SPLIT}datasets/", AnnotationDataSplitDatasets.as_view(), name="annotation-data-split-datasets"),
    path(f"{ONE}deletion-impact/", AnnotationDataDeletionImpact.as_view(), name="annotation-data-deletion-impact"),
]

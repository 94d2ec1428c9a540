"""The gallery's part of the console, below ``/datasets/gallery/``."""

from django.urls import path

from .gallery import Gallery, GalleryImport, GalleryPicture

urlpatterns = [
    path("", Gallery.as_view(), name="dataset-gallery"),
    path("<int:pk>/import/", GalleryImport.as_view(), name="gallery-import"),
    path("<int:pk>/pictures/<int:position>/", GalleryPicture.as_view(), name="gallery-picture"),
]

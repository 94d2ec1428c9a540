"""DICOM in memory: where the elements are, where the pixels are, and what they mean."""

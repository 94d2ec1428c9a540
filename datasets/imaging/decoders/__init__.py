"""From bytes to sample values, one module for DICOM frames and one for JPEG and PNG files."""

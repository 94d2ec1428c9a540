"""What can be wrong with a file. These are states of the input, never faults of ours."""


class ImagingError(Exception):
    """The file cannot become an image; ``code`` is for programs, ``message`` is a sentence for a person."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type["ImagingError"], tuple[str, str]]:
        return type(self), (self.code, self.message)


class Rejected(ImagingError):
    """The file claims to be an image, or is none of the three formats, and cannot be used."""


class Skipped(ImagingError):
    """A sound DICOM object that is no image: a report, a plan, a directory, or an annotation object."""

"""Small XML documents from strangers: no document type, so no entities, nothing fetched and nothing blown up."""

from __future__ import annotations

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from .base import LabelError

MAX_DEPTH = 50


def parse(content: bytes) -> Element:
    """Return the root element; ``LabelError`` for what is no XML or declares a document type."""
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise LabelError("The XML is nested too deeply.", code="label_file_invalid")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def doctype(*_: object) -> None:
        raise LabelError("The XML declares a document type; those are not allowed.", code="label_file_invalid")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise LabelError(f"The file is no sound XML: {error}.", code="label_file_invalid") from None
    except (ValueError, LookupError):
        raise LabelError("The XML is in an encoding that is not known.", code="label_file_invalid") from None
    return builder.close()

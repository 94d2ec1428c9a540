"""Reading a JSON document piece by piece: the members of the outermost object, and arrays in it element by element.

The standard library's scanner does the work on a sliding piece of the text, so the memory needed is one element's.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from .base import LabelError

CHUNK = 1 << 20
MAX_ELEMENT = 256 * 1024 * 1024
WHITESPACE = " \t\r\n"
NUMERIC = frozenset("0123456789+-.eE")  # a number may go on in the piece that is not read yet

Member = tuple[str, int, Any]


def walk(stream: BinaryIO) -> Iterator[Member]:
    """Yield (key, place, value) of the outermost object's members: place 0, or from 1 for the elements of an array.

    The elements of an outermost array have the key "".

    Raises:
        LabelError: the text is no JSON, with the place where it stops being.
    """
    return _Walker(stream).walk()


class _Walker:
    def __init__(self, stream: BinaryIO):
        self.stream = stream
        self.text = ""
        self.at = 0
        self.passed = 0  # characters that were let go
        self.ended = False
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.scan = json.JSONDecoder().raw_decode

    def walk(self) -> Iterator[Member]:
        start = self.next_character()
        if start == "[":
            yield from self.elements("")
        elif start == "{":
            yield from self.members()
        else:
            raise self.fault("is neither an object nor an array")
        if self.peek():
            raise self.fault("goes on behind its end")

    def members(self) -> Iterator[Member]:
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            key = self.value()
            if not isinstance(key, str) or self.next_character() != ":":
                raise self.fault("has no key where one must be")
            if self.peek() == "[":
                self.at += 1
                yield from self.elements(key)
            else:
                yield key, 0, self.value()
            following = self.next_character()
            if following == "}":
                return
            if following != ",":
                raise self.fault("lacks a comma")

    def elements(self, key: str) -> Iterator[Member]:
        place = 0
        if self.peek() == "]":
            self.at += 1
            return
        while True:
            place += 1
            yield key, place, self.value()
            following = self.next_character()
            if following == "]":
                return
            if following != ",":
                raise self.fault("lacks a comma")

    def value(self) -> Any:
        self.peek()
        wanted = CHUNK
        while True:
            try:
                value, end = self.scan(self.text, self.at)
                if self.ended or (end < len(self.text) and self.text[end] not in NUMERIC):
                    self.at = end
                    return value
            except json.JSONDecodeError as error:
                if self.ended:
                    raise self.fault("ends early" if error.pos >= len(self.text) else "is damaged") from None
            except (ValueError, RecursionError):
                raise self.fault("holds what cannot be read") from None
            if len(self.text) - self.at > MAX_ELEMENT:
                raise self.fault("has an element that is too large")
            self.more(wanted)
            wanted *= 2  # so that reading one large element again and again stays linear

    def peek(self) -> str:
        """Skip white space; return the character there, or "" at the end."""
        while True:
            while self.at < len(self.text):
                character = self.text[self.at]
                if character not in WHITESPACE:
                    return character
                self.at += 1
            if self.ended:
                return ""
            self.more(CHUNK)

    def next_character(self) -> str:
        character = self.peek()
        self.at += 1
        return character

    def more(self, count: int) -> None:
        content = self.stream.read(count)
        try:
            text = self.decoder.decode(content, final=not content)
        except UnicodeDecodeError:
            raise self.fault("is not UTF-8") from None
        self.ended = not content
        self.passed += self.at
        self.text = self.text[self.at :] + text
        self.at = 0

    def fault(self, what: str) -> LabelError:
        return LabelError(f"The JSON {what} (at character {self.passed + self.at}).", code="label_file_invalid")

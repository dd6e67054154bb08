"""Shapes and inputs of the files API that are not wire contracts between services."""

import re
import unicodedata
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Header
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from microservices.contracts.file_manager import FileStatus, ResultUpload
from microservices.kernel.pagination import ListQuery

_NAME_LIMIT = 255  # bytes of UTF-8: what file systems take
# Control characters, surrogates and line ends; and marks that turn the reading direction, which disguise a name.
_REFUSED_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
_DIRECTION_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def check_filename(name: str) -> str:
    """A name that every file system, header and terminal can bear; it is never used as a path here."""
    if len(name.encode("utf-8", "surrogatepass")) > _NAME_LIMIT:
        raise ValueError(f"is longer than {_NAME_LIMIT} bytes")
    if any(unicodedata.category(char) in _REFUSED_CATEGORIES for char in name) or _DIRECTION_MARKS.search(name):
        raise ValueError("has characters that cannot be printed")
    if "/" in name or "\\" in name:
        raise ValueError("is a path: give the file's name alone")
    if name.strip() in ("", ".", ".."):
        raise ValueError("is not a file's name")
    return name


def refuse_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("has a NUL character")
    return text


FileName = Annotated[str, AfterValidator(check_filename)]
SearchText = Annotated[str, Field(max_length=255), AfterValidator(refuse_nul)]
ContentSha256 = Annotated[str | None, Header(alias="X-Content-SHA256", pattern="^[0-9a-fA-F]{64}$")]


class UploadQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    filename: FileName


class ResultQuery(ResultUpload):
    model_config = ConfigDict(extra="forbid")

    filename: FileName


class FileQuery(ListQuery):
    """`q`: a part of the name, in any case."""

    status: FileStatus | None = None
    q: SearchText | None = None


class ResultsQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    run_id: list[UUID] = Field(default_factory=list, max_length=1000)


class DownloadLink(BaseModel):
    """`url` needs no header, and ends at `expires_at`."""

    url: str
    expires_at: datetime

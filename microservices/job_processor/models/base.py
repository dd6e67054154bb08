"""What all tables of this database share."""

from sqlalchemy.orm import DeclarativeBase

from microservices.kernel.db import COLUMN_TYPES, new_metadata


def one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


class Base(DeclarativeBase):
    metadata = new_metadata()
    type_annotation_map = COLUMN_TYPES

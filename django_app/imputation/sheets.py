"""Tables as CSV and XLSX files: read with the number of each row in its file, written so that no cell is a formula."""

import csv
import zipfile
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO
from typing import Any

import tablib
from import_export.formats import base_formats
from openpyxl import load_workbook

ROW_NUMBER = "row number in the file"
MOST_ROWS = 1000
_MOST_COLUMNS = 50
_LAST_COLUMN = 2 * _MOST_COLUMNS  # a short row that names a cell far out would be filled up to it, a million times
_MOST_UNPACKED_BYTES = 32 * 1024 * 1024
_LONGEST_XLSX_CELL = 32_767
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class SheetError(Exception):
    """The file cannot be read or written as it should; the message tells what to do."""


class CsvSheet(base_formats.CSV):
    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """Comma, semicolon or tab: whichever the first line has most of."""
        try:
            text = in_stream.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SheetError("The file is not UTF-8 text. Save it as “CSV UTF-8”.") from error
        head = text.partition("\n")[0]
        try:
            reader = csv.reader(StringIO(text, newline=""), delimiter=max(",;\t", key=head.count), strict=True)
            return make_dataset((reader.line_num, row) for row in reader)
        except csv.Error as error:
            raise SheetError(f"The file is not valid CSV: {error}.") from error

    def export_data(self, dataset: tablib.Dataset, **_options: Any) -> Any:
        return neutralise_formulas(dataset).export("csv")


class XlsxSheet(base_formats.XLSX):
    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        """The first sheet, with the values that were last computed of formulas."""
        try:
            with zipfile.ZipFile(BytesIO(in_stream)) as archive:
                unpacked = sum(part.file_size for part in archive.infolist())
            if unpacked > _MOST_UNPACKED_BYTES:
                raise SheetError("The file is too large once it is unpacked.")
            book = load_workbook(BytesIO(in_stream), read_only=True, data_only=True)
            rows = book.worksheets[0].iter_rows(max_col=_LAST_COLUMN, values_only=True)
            return make_dataset(enumerate(rows, 1))
        except SheetError:
            raise
        except Exception as error:  # whatever a damaged workbook provokes is a fault of the file
            raise SheetError("The file is not a workbook in XLSX form that can be read.") from error

    def export_data(self, dataset: tablib.Dataset, **options: Any) -> Any:
        if any(isinstance(cell, str) and len(cell) > _LONGEST_XLSX_CELL for row in dataset for cell in row):
            # The library's way to say no on the page
            raise ValueError(f"A cell is longer than the {_LONGEST_XLSX_CELL} characters that XLSX allows: choose CSV.")
        return super().export_data(neutralise_formulas(dataset), **options)


def make_dataset(numbered: Iterable[tuple[int, Sequence[Any]]]) -> tablib.Dataset:
    """Rows under the names of the first, each with its number in the file; empty ones are left out."""
    rows = ((number, list(row)) for number, row in numbered if any(cell not in (None, "") for cell in row))
    _, head = next(rows, (0, []))
    headers = [str(cell if cell is not None else "").strip().lower() for cell in head]
    while headers and not headers[-1]:
        headers.pop()
    if not headers or len(headers) > _MOST_COLUMNS:
        raise SheetError("The first row has to name the columns.")
    dataset = tablib.Dataset(headers=[*headers, ROW_NUMBER])
    for number, row in rows:
        if len(dataset) == MOST_ROWS:
            raise SheetError(f"The file has more than {MOST_ROWS} rows: split it.")
        if any(cell not in (None, "") for cell in row[len(headers) :]):
            raise SheetError(f"Row {number} has more cells than the first row has names.")
        dataset.append([*row[: len(headers)], *[""] * (len(headers) - len(row)), number])
    return dataset


def neutralise_formulas(dataset: tablib.Dataset) -> tablib.Dataset:
    """A leading apostrophe keeps spreadsheets from carrying out what a name says; `restore_text` takes it off."""
    rows = [
        [f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell for cell in row]
        for row in dataset
    ]
    return tablib.Dataset(*rows, headers=dataset.headers, title=dataset.title)


def restore_text(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS) else cell

"""Files and exports in the hands of people who mean harm."""

import re
import time
import zipfile
from collections.abc import Callable
from io import BytesIO

import httpx
import pytest
from openpyxl import Workbook

from django_app.imputation.sheets import XlsxSheet
from tests.django_app.browsing import PANELS, SERVICES


@pytest.mark.parametrize("path", [SERVICES, PANELS])
def test_only_who_may_see_the_catalogue_may_export_it(log_in: Callable[[str], httpx.Client], path: str) -> None:
    assert log_in("operator@example.org").get(f"{path}export/").status_code == 403


def write_wide_book(rows: int) -> bytes:
    """Each row is one empty cell in the last column that there is: 7 bytes of a packed file."""
    book, plain, wide = Workbook(), BytesIO(), BytesIO()
    book.worksheets[0].append(["service"])
    book.save(plain)
    cells = "".join(f'<row r="{row}"><c r="XFD{row}"/></row>' for row in range(2, rows + 2))
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(wide, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = re.sub(r"<dimension[^>]*/>", "", source.read(name).decode())
            target.writestr(name, part.replace("</sheetData>", f"{cells}</sheetData>"))
    return wide.getvalue()


def test_cells_far_out_do_not_fill_up_the_rows_before_them() -> None:
    began = time.process_time()
    assert len(XlsxSheet().create_dataset(write_wide_book(5000))) == 0
    assert time.process_time() - began < 3

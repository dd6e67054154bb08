"""Panels as CSV and XLSX files, out and in again; through the pages that curators use."""

import csv
import json
from io import BytesIO, StringIO
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import Group, Permission
from openpyxl import Workbook, load_workbook

from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.outbox.models import Delivery, Subject
from django_app.outbox.relay import Relay
from tests.django_app.browsing import PANELS, SERVICES, FormReader, choose
from tests.django_app.catalogue import add_panel, add_site
from tests.django_app.registry import StubRegistry
from tests.django_app.test_curation_api import RECIPE
from tests.django_app.test_history import read_text

HEAD = ["service", "panel_id", "name", "build", "populations", "samples_count", "is_active"]
SECRET = "token-that-nobody-may-see"


def write_csv(*rows: list[Any], head: list[str] = HEAD, delimiter: str = ",") -> bytes:
    text = StringIO()
    csv.writer(text, delimiter=delimiter).writerows([head, *rows])
    return text.getvalue().encode()


def write_xlsx(*rows: list[Any], head: list[str] = HEAD) -> bytes:
    book = Workbook()
    for row in [head, *rows]:
        book.worksheets[0].append(row)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def upload(browser: httpx.Client, content: bytes, name: str = "panels.csv") -> httpx.Response:
    token = FormReader(browser.get(f"{PANELS}import/").text).fields["csrfmiddlewaretoken"]
    fields = {"csrfmiddlewaretoken": token, "resource": "0", "format": ""}
    return browser.post(f"{PANELS}import/", data=fields, files={"import_file": (name, content)})


def confirm(browser: httpx.Client, preview: httpx.Response, **changes: str) -> httpx.Response:
    fields = FormReader(preview.text).fields
    return browser.post(f"{PANELS}process_import/", data={**fields, **changes})


def export(browser: httpx.Client, path: str, format_: str, query: str = "") -> httpx.Response:
    form = FormReader(browser.get(f"{path}export/{query}").text).fields
    answer = browser.post(f"{path}export/{query}", data={**form, "format": {"csv": "0", "xlsx": "1"}[format_]})
    assert answer.status_code == 200
    assert f".{format_}" in answer.headers["content-disposition"]
    return answer


def read_csv(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))


def read_xlsx(answer: httpx.Response) -> list[dict[str, Any]]:
    head, *rows = load_workbook(BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True)
    return [dict(zip([str(name) for name in head], row, strict=True)) for row in rows]


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_a_file_is_previewed_confirmed_and_reaches_the_registry(
    browser: httpx.Client, registry: StubRegistry, relay: Relay, write: Any
) -> None:
    site = add_site(name="Server, of Examples")
    kept = add_panel(site, panel_id="kept", name="Kept", populations=["AFR"])
    add_panel(site, panel_id="changed", name="Before")
    relay.deliver_due()
    content = write(
        [site.name, "kept", "Kept", "hg19", "AFR", 2504, "yes"],
        [str(site.pk), "changed", "After", "hg38", "AFR; EUR", "", "no"],
        [site.name, "new", "New", "hg38", "", 99, "TRUE"],
    )
    name = "panels.csv" if write is write_csv else "panels.XLSX"
    preview = upload(browser, content, name)
    text = read_text(preview)
    assert "1 new, 1 changed, 1 as they are. Nothing is saved yet." in text
    for words in ("name : Before → After", "build : hg19 → hg38", "samples_count : 2504 → –", "is_active : yes → no"):
        assert words in text
    assert ReferencePanel.objects.count() == 2
    assert not Delivery.objects.filter(delivered_at=None).exists()
    assert "1 new, 1 updated, 0 deleted and 1 skipped" in confirm(browser, preview).text
    changed = ReferencePanel.objects.get(panel_id="changed")
    assert (changed.name, changed.populations, changed.is_active) == ("After", ["AFR", "EUR"], False)
    assert changed.samples_count is None
    relay.deliver_due()
    assert {panel["name"] for panel in registry.received[-1]["data"]["panels"]} == {"Kept", "After", "New"}
    record = ReferencePanel.history.filter(panel_id="changed").first()
    assert record.history_user_id == "curator@example.org"
    assert record.history_change_reason == f"import of {name}"
    assert ReferencePanel.history.filter(id=kept.pk).count() == 1


def test_one_wrong_row_keeps_all_out_and_every_problem_is_named_by_its_row(browser: httpx.Client) -> None:
    site = add_site()
    content = write_csv(
        [site.name, "good", "Good", "hg19", "AFR", "1", "yes"],
        [],
        [site.name, "bad-build", "Bad", "hg17", "AFR", "1", "yes"],
        ["Nowhere", "x", "X", "hg19", "AFR", "1", "yes"],
        [site.name, "bad-count", "Bad", "hg19", "AFR;afr", "2,5", "perhaps"],
        [site.name, "nameless", "", "hg19", "", "", "yes"],
    )
    page = upload(browser, content)
    text = read_text(page)
    assert "Row 4 : build: Value &#x27;hg17&#x27; is not a valid choice." in text
    assert "Row 5 : service: There is no site called Nowhere." in text
    assert "Row 6 : samples_count: Give a whole number" in text
    assert "Row 6 : is_active: Give yes or no." in text
    assert "Row 6 : populations: An entry is in the list twice." in text
    assert "Row 7 : name: This field cannot be blank." in text
    assert "import_file_name" not in page.text  # nothing to confirm
    assert ReferencePanel.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (write_csv(["x", "y"], head=["service", "name"]), "a.csv", "The import needs: panel_id."),
        (write_csv(["x", "y", "z"], head=["service", "panel_id", "credential"]), "a.csv", "does not know: credential."),
        (write_csv(["x", "y", "z"], head=["service", "panel_id", "service"]), "a.csv", "takes only one of: service."),
        (write_csv(["x", "y"], ["x", "y"], head=["service", "panel_id"]), "a.csv", "has the panel y of x twice."),
        (write_csv(["x", "y", "z"], head=["service", "panel_id"]), "a.csv", "Row 2 has more cells"),
        (
            write_csv(*[["x", str(n)] for n in range(1001)], head=["service", "panel_id"]),
            "a.csv",
            "more than 1000 rows",
        ),
        (b"", "a.csv", "The submitted file is empty."),
        (b"\xff\xfe\x00", "a.csv", "The file is not UTF-8 text."),
        (b'service,panel_id\n"x', "a.csv", "not valid CSV"),
        (b"service,panel_id\n\x00,y", "a.csv", "Row 2"),
        (b"no workbook", "a.xlsx", "not a workbook in XLSX form"),
        (b"x", "a.ods", "name ends in .csv or .xlsx"),
        (b"x" * (1024 * 1024 + 1), "a.csv", "larger than 1 MiB"),
    ],
)
def test_a_file_that_cannot_be_taken_is_explained(browser: httpx.Client, content: bytes, name: str, words: str) -> None:
    page = upload(browser, content, name)
    assert page.status_code == 200
    assert words in read_text(page)
    assert "import_file_name" not in page.text


def test_a_preview_that_the_catalogue_has_overtaken_is_shown_anew(browser: httpx.Client) -> None:
    site = add_site()
    panel = add_panel(site, panel_id="one", name="Before")
    preview = upload(browser, write_csv([site.name, "one", "After"], head=HEAD[:3]))
    panel.name = "Changed meanwhile"
    panel.save()
    page = confirm(browser, preview)
    assert "Nothing was imported." in page.text
    assert "The catalogue has changed since the preview was made" in page.text
    assert "name : Changed meanwhile → After" in read_text(page)
    assert ReferencePanel.objects.get().name == "Changed meanwhile"
    assert "1 updated" in confirm(browser, page).text
    assert ReferencePanel.objects.get().name == "After"


def test_a_row_that_has_become_wrong_keeps_all_out(browser: httpx.Client) -> None:
    site = add_site()
    panel = add_panel(site, panel_id="one")
    preview = upload(browser, write_csv([site.name, "one", "After"], [site.name, "two", "Two"], head=HEAD[:3]))
    assert "Row 3 : build: This field cannot be blank." in read_text(preview)
    preview = upload(browser, write_csv([site.name, "one", "After"], head=HEAD[:3]))
    panel.delete()
    page = confirm(browser, preview)
    assert "Row 2 : build: This field cannot be blank." in read_text(page)
    assert "import_file_name" not in page.text
    assert not ReferencePanel.objects.exists()


def test_what_is_confirmed_is_what_was_uploaded(browser: httpx.Client) -> None:
    site = add_site()
    preview = upload(browser, write_csv([site.name, "one", "One", "hg19", "", "", "yes"]))
    forged = FormReader(preview.text).fields["import_file_name"][:-3] + "AAA"
    page = confirm(browser, preview, import_file_name=forged)
    assert "choose the file again" in page.text
    assert confirm(browser, preview, format="7").status_code == 200
    assert browser.get(f"{PANELS}process_import/").status_code == 405
    assert not ReferencePanel.objects.exists()


def test_a_site_whose_name_is_not_its_own_is_called_by_its_id(browser: httpx.Client) -> None:
    site, _ = add_site(), add_site()
    add_panel(site)
    row = [site.name, "one", "One", "hg19", "", "", "yes"]
    assert f"Several sites are called {site.name}: give the id." in upload(browser, write_csv(row)).text
    [exported] = read_csv(export(browser, PANELS, "csv"))
    assert exported["service"] == str(site.pk)


def test_other_separators_and_a_mark_before_the_text_are_understood(browser: httpx.Client) -> None:
    site = add_site()
    content = "﻿".encode() + write_csv([site.name, "one", "One", "hg19", "AFR;EUR", "", "yes"], delimiter=";")
    assert "1 new" in confirm(browser, upload(browser, content)).text
    assert ReferencePanel.objects.get().populations == ["AFR", "EUR"]


@pytest.mark.parametrize(("format_", "read"), [("csv", read_csv), ("xlsx", read_xlsx)])
def test_what_is_exported_can_be_imported_again_and_changes_nothing(
    browser: httpx.Client, format_: str, read: Any
) -> None:
    site = add_site(name="@SUM(1+1)*cmd|'/C calc'!A0", api_type="ga4gh")
    add_panel(site, name='=HYPERLINK("http://evil.example.org")', recipe=RECIPE, panel_id="-1+1")
    add_panel(site, panel_id="plain", name="Genomes, “phase” 3", variants_count=81_000_000)
    answer = export(browser, PANELS, format_)
    rows = {row["panel_id"]: row for row in read(answer)}
    assert rows["'-1+1"]["name"] == '\'=HYPERLINK("http://evil.example.org")'
    assert rows["'-1+1"]["service"].startswith("'@SUM")
    assert json.loads(rows["'-1+1"]["recipe"]) == RECIPE
    assert rows["plain"]["populations"] == "AFR;EUR"
    assert rows["plain"]["variants_count"] in (81_000_000, "81000000")
    assert "0 new, 0 changed, 2 as they are" in read_text(upload(browser, answer.content, f"again.{format_}"))


def test_no_cell_of_a_workbook_is_a_formula(browser: httpx.Client) -> None:
    add_panel(add_site(), name="=1+1")
    sheet = load_workbook(BytesIO(export(browser, PANELS, "xlsx").content)).worksheets[0]
    assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}


def test_a_cell_too_long_for_xlsx_is_refused_instead_of_cut(browser: httpx.Client) -> None:
    site = add_site(api_type="ga4gh")
    add_panel(site, recipe={**RECIPE, "attachments": {"impute.cwl": "x" * 40_000}})
    form = FormReader(browser.get(f"{PANELS}export/").text).fields
    assert "choose CSV" in browser.post(f"{PANELS}export/", data={**form, "format": "1"}).text
    assert len(read_csv(export(browser, PANELS, "csv"))) == 1


def test_the_filtered_list_or_the_ticked_rows_are_exported(browser: httpx.Client) -> None:
    site = add_site()
    one = add_panel(site, panel_id="one", build="hg19")
    add_panel(site, panel_id="two", build="hg38")
    add_panel(site, panel_id="three", build="hg38")
    found = read_csv(export(browser, PANELS, "csv", "?build__exact=hg38"))
    assert {row["panel_id"] for row in found} == {"two", "three"}
    page = choose(browser, PANELS, "export_admin_action", one.pk)
    form = FormReader(page.text).fields
    answer = browser.post(f"{PANELS}export/", data={**form, "format": "0"})
    assert [row["panel_id"] for row in read_csv(answer)] == ["one"]


def test_sites_are_exported_without_their_secrets(browser: httpx.Client) -> None:
    site = add_site(api_config={"poll_first_s": 5})
    site.set_credential(SECRET)
    site.save()
    add_panel(site)
    for format_ in ("csv", "xlsx"):
        answer = export(browser, SERVICES, format_)
        rows = read_csv(answer) if format_ == "csv" else read_xlsx(answer)
        assert "credential" not in rows[0]
        assert site.credential is not None
        assert not any(SECRET in str(value) or site.credential.stored in str(value) for value in rows[0].values())
        assert rows[0]["credential_set_at"]
        assert str(rows[0]["panels"]) == "1"
    assert (
        browser.get(f"{SERVICES}import/").status_code in (302, 404)
        or "import_file" not in browser.get(f"{SERVICES}import/").text
    )


def test_whoever_may_only_look_may_not_import(browser: httpx.Client) -> None:
    Group.objects.get(name="curators").permissions.remove(Permission.objects.get(codename="add_referencepanel"))
    assert browser.get(f"{PANELS}import/").status_code == 403
    assert browser.get(PANELS).status_code == 200


def test_an_import_raises_the_version_of_its_sites_alone(browser: httpx.Client) -> None:
    mine, other = add_site(name="Mine"), add_site(name="Other")
    confirm(browser, upload(browser, write_csv(["Mine", "one", "One", "hg19", "", "", "yes"])))
    assert Subject.objects.get(name=mine.subject).version == 2
    assert Subject.objects.get(name=other.subject).version == 1
    assert ImputationService.objects.get(name="Mine").panels.count() == 1

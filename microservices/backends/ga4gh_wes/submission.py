"""Send one run to the site, and tell honestly what became of it."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

from microservices.backends.answers import BUSY_STATUSES, Answer
from microservices.backends.base import InputFile, SiteError, SiteUnavailableError, Submission
from microservices.backends.failures import Sent
from microservices.backends.filenames import name_inputs
from microservices.backends.ga4gh_wes.answers import explain_answer, refuse_credential
from microservices.backends.ga4gh_wes.catalogue import check_credential, read_info
from microservices.backends.ga4gh_wes.client import WesClient
from microservices.backends.ga4gh_wes.dialect import Dialect, choose_type, recognise
from microservices.backends.ga4gh_wes.recipe import (
    Inputs,
    Recipe,
    fill_parameters,
    read_recipe,
    refuse_recipe,
    turn_into_texts,
)
from microservices.backends.ga4gh_wes.runs import TAG
from microservices.backends.responses import read_bounded
from microservices.backends.upload import FilePart, UploadBody, open_upload

RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")


async def submit_run(client: WesClient, submission: Submission) -> str:
    """Stream the submission; return the site's id of the run.

    Raises `CredentialRefusedError`, `SiteUnavailableError` or `SiteError`; each with `sent`: only `all` leaves open
    whether a run exists.
    """
    recipe = read_recipe(submission.recipe)
    info = await read_info(client)
    dialect = recognise(info)
    workflow_type = choose_type(info, recipe.workflow_type, recipe.workflow_type_version)
    inputs, parts = place_inputs(client, submission, recipe)
    if parts and not dialect.takes_attachments:
        raise _refuse_attachments()
    fields = build_fields(recipe, submission, dialect, inputs) | {"workflow_type": workflow_type}
    body = UploadBody(list(fields.items()), parts)
    headers = await client.authorise()
    try:
        async with open_upload(
            client.session, client.connection, client.deadlines, client.address("/runs"), headers, body
        ) as response:
            answer = client.understand(response, await read_bounded(response))
    except SiteUnavailableError as error:
        if body.failure is not None:
            raise body.failure from None
        error.sent = body.sent
        raise await _explain_cut(client, error) from None
    return _read_acceptance(answer, body.sent)


def place_inputs(client: WesClient, submission: Submission, recipe: Recipe) -> tuple[Inputs, list[FilePart]]:
    """Where the site will find the files, and what has to be sent along (the recipe's own files first)."""
    parts = [FilePart(name, hold_text(name, text), "workflow_attachment") for name, text in _list_texts(recipe)]
    named = name_inputs(submission.files, [part.filename for part in parts])
    filenames = [name for name, _ in named]
    if client.connection.api_config.input_mode == "url":
        return Inputs([_require_url(file) for _, file in named], filenames), parts
    parts += [FilePart(name, file, "workflow_attachment") for name, file in named]
    return Inputs(filenames, filenames), parts


def _list_texts(recipe: Recipe) -> list[tuple[str, str]]:
    return list((recipe.attachments or {}).items())


def hold_text(name: str, text: str) -> InputFile:
    content = text.encode()

    async def read() -> AsyncIterator[bytes]:
        yield content

    return InputFile(name, len(content), read)


def _require_url(file: InputFile) -> str:
    if not file.url:
        raise SiteError(
            "The site fetches its inputs by itself, but the run carries no address for one of them.",
            code="input_url_missing",
            whose="platform",
            fix="Nothing to do: the platform tries again.",
        )
    return file.url


def _refuse_attachments() -> SiteError:
    return SiteError(
        "This server drops files that are sent along with a run.",
        code="attachments_ignored",
        permanent=True,
        whose="platform",
        fix="A curator has to set api_config.input_mode to 'url', and use a recipe without attachments.",
    )


def build_fields(recipe: Recipe, submission: Submission, dialect: Dialect, inputs: Inputs) -> dict[str, str]:
    """The form's texts. The mark is a tag, which servers give back: how a run is found whose answer was lost."""
    parameters: dict[str, Any] = fill_parameters(recipe, submission, inputs)
    tags = {TAG: submission.mark}
    if dialect.texts_only:
        parameters = turn_into_texts(parameters)
        tags["run_dir"] = submission.mark  # WESkit: the run's folder, which some nodes demand
    fields = {
        "workflow_params": json.dumps(parameters),
        "workflow_type_version": recipe.workflow_type_version,
        "workflow_url": recipe.workflow_url,
        "tags": json.dumps(tags),
    }
    if recipe.engine_parameters:
        fields["workflow_engine_parameters"] = json.dumps(turn_into_texts(recipe.engine_parameters))
    if recipe.workflow_engine and dialect.knows_engines:
        fields["workflow_engine"] = recipe.workflow_engine
        if recipe.workflow_engine_version:
            fields["workflow_engine_version"] = recipe.workflow_engine_version
    return fields


async def _explain_cut(client: WesClient, error: SiteUnavailableError) -> SiteError:
    """A server that refuses a token early may close before its answer can be read: ask whether that was it."""
    if error.sent != "partial" or not client.connection.credential:
        return error
    try:
        check = await check_credential(client)
    except SiteError:
        return error
    return error if check.valid else _mark_sent(refuse_credential(check.message), "partial")


def _read_acceptance(answer: Answer, sent: Sent) -> str:
    run_id = (answer.document or {}).get("run_id")
    if answer.status in (200, 201, 202):
        if isinstance(run_id, str) and RUN_ID.fullmatch(run_id):
            return run_id
        raise SiteError("The site took the submission but gave no id for it.", code="answer_unreadable", sent="all")
    is_proxys = answer.document is None and answer.status in BUSY_STATUSES
    leaves_open = answer.status < 300 or answer.status >= 500 or is_proxys
    raise _mark_sent(_explain_refusal(answer), sent if leaves_open or sent != "all" else "nothing")


def _explain_refusal(answer: Answer) -> SiteError:
    """400 and 409 are about the form, which is the recipe's (some servers answer 409 to whatever is wrong)."""
    if answer.status == 413:
        return SiteError(
            "The upload is larger than the site allows.",
            code="upload_too_large",
            permanent=True,
            whose="input",
            fix="Submit the chromosomes in several jobs, or choose a site with a higher limit.",
        )
    if answer.status in (400, 409, 415, 422):
        said = answer.words or "it gave no reason"
        error = refuse_recipe(f"The site refused the run ({answer.status}): {said}")
        error.code = "refused"
        return error
    return explain_answer(answer)


def _mark_sent(error: SiteError, sent: Sent) -> SiteError:
    error.sent = sent
    return error

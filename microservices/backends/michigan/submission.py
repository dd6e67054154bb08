"""Send one run to the site, and tell honestly what became of it."""

import re
from urllib.parse import quote

from microservices.backends.answers import BUSY_STATUSES, Answer
from microservices.backends.base import SiteError, SiteUnavailableError, Submission
from microservices.backends.failures import Sent
from microservices.backends.filenames import name_inputs
from microservices.backends.michigan.answers import explain_answer, is_own, refuse_credential
from microservices.backends.michigan.catalogue import choose_app, explain_missing_app, read_server
from microservices.backends.michigan.client import CloudgeneClient
from microservices.backends.michigan.credential import check_credential, explain_refusal
from microservices.backends.michigan.places import check_place, read_limit, refuse_more
from microservices.backends.responses import read_bounded
from microservices.backends.upload import FilePart, UploadBody, open_upload

JOB_ID = re.compile(r"job-\d{8}-\d{6}-\d{1,6}")
_MARK = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,49}")
_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9]{9,}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]*")
_HADOOP = re.compile(r"(imputationserver|minimac4)(@.*)?")


async def submit_run(client: CloudgeneClient, submission: Submission) -> str:
    """Stream the submission; return the site's id of the job.

    Raises `SiteFullError` for the limit of simultaneous jobs, `CredentialRefusedError`, `SiteUnavailableError`, or
    `SiteError`; each with `sent`: only `all` leaves open whether a job exists.
    """
    fields = build_fields(submission)
    parts = [FilePart(name, file) for name, file in name_inputs(submission.files)]
    app = client.connection.api_config.app or choose_app(client, await read_server(client))
    await check_place(client)
    body = UploadBody([(name, _word_value(app, name, value)) for name, value in fields], parts)
    try:
        answer = await _post(client, app, body)
    except SiteUnavailableError as error:
        if body.failure is not None:
            raise body.failure from None
        error.sent = body.sent
        raise await _explain_cut(client, error) from None
    return await _read_acceptance(client, answer, app, body.sent)


def build_fields(submission: Submission) -> list[tuple[str, str]]:
    """The form's texts; a checkbox that is present means yes, whatever it says, so a no is left out.

    Cloudgene escapes and re-reads texts (a number loses its zeros, `&` becomes `&amp;`, the password goes through a
    shell): whatever would not come out as it went in is refused here. Raises `SiteError`.
    """
    _require(_MARK.fullmatch(submission.mark), "mark", "letters, digits and _.- after a letter, at most 50")
    _require(_PASSWORD.fullmatch(submission.result_password), "result password", "at least 10 letters and digits")
    population = submission.population or "off"
    words = {"panel": submission.panel_id, "build": submission.build, "population": population}
    for name, value in {**words, "phasing": submission.phasing, "mode": submission.mode}.items():
        _require(_WORD.fullmatch(value), name, "letters, digits and _.@+-")
    return [
        ("job-name", submission.mark),
        ("refpanel", submission.panel_id),
        ("build", submission.build),
        ("population", population),
        ("phasing", submission.phasing),
        ("r2Filter", f"{submission.r2_filter:g}"),
        ("mode", submission.mode),
        ("password", submission.result_password),
        ("aesEncryption", "yes"),
    ]


def _word_value(app: str, name: str, value: str) -> str:
    """The Hadoop pipeline of Cloudgene 2 has its own word for a check of quality, and would impute on any other.

    It knows no `off` either, as each job there names a population of its panel: raises `SiteError` for that.
    """
    if not _HADOOP.fullmatch(app):
        return value
    if name == "population" and value == "off":
        raise SiteError(
            "This site imputes no job without a population.",
            code="population_missing",
            permanent=True,
            whose="input",
            fix="Submit again with one of the panel's populations.",
        )
    return "qconly" if name == "mode" and value == "qc_only" else value


def _require(found: object, name: str, rule: str) -> None:
    if not found:
        raise SiteError(
            f"The run's {name} would not reach the site unchanged: it may hold {rule}.",
            code="field_unsafe",
            permanent=True,
            whose="platform",
        )


async def _post(client: CloudgeneClient, app: str, body: UploadBody) -> Answer:
    """The site may answer at any time, also while the body is still on its way."""
    url = client.address(f"/api/v2/jobs/submit/{quote(app, safe='@')}")
    async with open_upload(
        client.session, client.connection, client.deadlines, url, client.authorise(), body
    ) as response:
        return client.understand(response, await read_bounded(response))


async def _explain_cut(client: CloudgeneClient, error: SiteUnavailableError) -> SiteError:
    """A server that refuses a token early may close before its answer can be read: ask whether that was it."""
    if error.sent != "partial" or not client.connection.credential:
        return error
    try:
        check = await check_credential(client)
    except SiteError:
        return error
    return error if check.valid else _mark_sent(refuse_credential(check.message), "partial")


async def _read_acceptance(client: CloudgeneClient, answer: Answer, app: str, sent: Sent) -> str:
    document = answer.document or {}
    external_job_id = document.get("id")
    if answer.status == 200 and document.get("success") is True:
        if isinstance(external_job_id, str) and JOB_ID.fullmatch(external_job_id):
            return external_job_id
        raise SiteError("The site accepted a job but gave no id for it.", code="answer_unreadable", sent="all")
    error = await _explain_refusal(client, answer, app)
    raise _mark_sent(error, sent if _leaves_open(answer) else _without_job(sent))


def _leaves_open(answer: Answer) -> bool:
    """Whether a job may exist in spite of the answer: a proxy gives up on a site that goes on, or is busy by then;
    a page says nothing.
    """
    if is_own(answer) and answer.document is not None:
        return answer.document["success"] is not False
    is_proxys = answer.document is None and answer.status in BUSY_STATUSES
    return answer.status < 300 or answer.status >= 500 or is_proxys


def _without_job(sent: Sent) -> Sent:
    return "nothing" if sent == "all" else sent


async def _explain_refusal(client: CloudgeneClient, answer: Answer, app: str) -> SiteError:
    if is_own(answer) and read_limit(client, answer.words):
        return refuse_more(answer.words)
    if answer.status == 413 or (answer.status == 400 and "upload limit reached" in answer.words.lower()):
        return _refuse_size()
    if answer.status == 404 and answer.document is not None:
        return await explain_missing_app(client, answer, app)
    if answer.status == 403:
        return await explain_refusal(client, answer)
    if answer.status == 200 and not is_own(answer):
        return SiteError("The site's answer to the submission makes no sense.", code="answer_unreadable")
    error = explain_answer(answer)
    if error.code == "refused":
        error.whose, error.fix = "platform", "The site's form has changed, or a panel's id is wrong: tell the curators."
    return error


def _refuse_size() -> SiteError:
    return SiteError(
        "The upload is larger than the site allows.",
        code="upload_too_large",
        permanent=True,
        whose="input",
        fix="Submit the chromosomes in several jobs, or choose a site with a higher limit.",
    )


def _mark_sent(error: SiteError, sent: Sent) -> SiteError:
    error.sent = sent
    return error

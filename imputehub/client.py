"""The platform's public API for Python: `Client(gateway_url)`, `log_in`, then one method for each thing to do.

Everything goes through the gateway over HTTP. Log-ins are renewed by themselves; files are streamed.
"""

import hashlib
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

JOB_END_STATUSES = frozenset({"completed", "partly_completed", "failed", "cancelled"})
_CHUNK = 1 << 20
_RENEW_BEFORE_S = 60

Json = dict[str, Any]
Progress = Callable[[int], None]
"""Called with the number of further bytes that have travelled."""


class PlatformError(Exception):
    """The platform's answer to a request that it did not carry out; `code` is stable, `message` is for people."""

    def __init__(self, message: str, *, code: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status


class Client:
    """One person's connection to one platform.

    `refresh_token` continues an earlier log-in; `on_refresh` is called with each new one (they rotate), to be kept.
    """

    def __init__(
        self, gateway_url: str, *, refresh_token: str = "", on_refresh: Callable[[str], None] | None = None
    ) -> None:
        self.gateway_url = gateway_url.rstrip("/")
        self._http = httpx.Client(base_url=self.gateway_url, timeout=httpx.Timeout(60, connect=10))
        self._refresh_token = refresh_token
        self._on_refresh = on_refresh or (lambda _token: None)
        self._access_token = ""
        self._renew_at = 0.0

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # People

    def register(self, email: str, password: str, full_name: str, organization: str | None = None) -> Json:
        body = {"email": email, "password": password, "full_name": full_name}
        new_one = {"organization": organization} if organization else {}
        account: Json = self._send("POST", "/api/v1/auth/register", json=body | new_one)
        return account

    def log_in(self, email: str, password: str, otp: str = "") -> None:
        """`otp`: a code of the app or a recovery code, where the account has a second factor (`otp_required`)."""
        form = {"grant_type": "password", "username": email, "password": password}
        self._take_grant(form | ({"otp": otp} if otp else {}))

    def me(self) -> Json:
        return self._call_json("GET", "/api/v1/users/me")

    def set_site_credential(self, service_id: str, credential: str) -> None:
        self.call("PUT", f"/api/v1/users/me/site-credentials/{service_id}", json={"credential": credential})

    def list_site_credentials(self) -> list[Json]:
        return self.list_all("/api/v1/users/me/site-credentials")

    # Catalogue

    def list_services(self, **filters: Any) -> list[Json]:
        return self.list_all("/api/v1/services", **filters)

    def list_panels(self, service_id: str) -> list[Json]:
        return self.list_all("/api/v1/panels", service_id=service_id)

    def list_templates(self) -> list[Json]:
        return self.list_all("/api/v1/job-templates")

    # Files

    def upload_file(self, path: Path, progress: Progress | None = None) -> Json:
        """Upload a VCF; its SHA-256 travels along, so that a damaged upload is refused."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(path.stat().st_size),
            "X-Content-SHA256": hash_file(path),
        }
        return self._call_json(
            "POST",
            "/api/v1/files",
            params={"filename": path.name},
            headers=headers,
            content=_read_chunks(path, progress or (lambda _size: None)),
        )

    def list_files(self) -> list[Json]:
        return self.list_all("/api/v1/files")

    def get_file(self, file_id: str) -> Json:
        return self._call_json("GET", f"/api/v1/files/{file_id}")

    def get_quality(self, file_id: str) -> Json:
        return self._call_json("GET", f"/api/v1/files/{file_id}/qc")

    def wait_until_checked(self, file_id: str, *, deadline_s: float = 600) -> Json:
        """The file once its check is over (`ready` or `rejected`)."""
        end = time.monotonic() + deadline_s
        while (file := self.get_file(file_id))["status"] not in ("ready", "rejected"):
            if time.monotonic() > end:
                raise PlatformError(f"The check of '{file['filename']}' takes longer than {deadline_s:.0f} s.")
            time.sleep(0.3)
        return file

    # Jobs

    def create_job(self, wish: Mapping[str, Any], *, idempotency_key: str | None = None) -> Json:
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._call_json("POST", "/api/v1/jobs", json=dict(wish), headers=headers)

    def get_job(self, job_id: str) -> Json:
        return self._call_json("GET", f"/api/v1/jobs/{job_id}")

    def list_jobs(self, **filters: Any) -> list[Json]:
        return self.list_all("/api/v1/jobs", **filters)

    def cancel_job(self, job_id: str) -> Json:
        return self._call_json("POST", f"/api/v1/jobs/{job_id}/cancel")

    def watch_job(self, job_id: str, *, interval_s: float = 1.0) -> Iterator[Json]:
        """The job, again and again, until it has ended; the last one is how it ended."""
        while True:
            job = self.get_job(job_id)
            yield job
            if job["status"] in JOB_END_STATUSES:
                return
            time.sleep(interval_s)

    def list_results(self, job_id: str) -> list[Json]:
        return self.list_all(f"/api/v1/jobs/{job_id}/results")

    def download_archive(self, job_id: str, target: Path, progress: Progress | None = None) -> None:
        """All results as one zip; each file in it is held against its manifest's SHA-256 before `target` appears."""
        part = target.with_name(target.name + ".part")
        self._save(f"/api/v1/jobs/{job_id}/results/archive", part, progress or (lambda _size: None))
        damaged = find_damage(part)
        if damaged:
            part.unlink()
            raise PlatformError(f"The archive arrived damaged ({damaged}). Download it again.", code="damaged")
        part.replace(target)

    def _save(self, path: str, part: Path, progress: Progress) -> None:
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._http.stream("GET", path, headers=self._authorise({})) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _explain(answer)
                with part.open("wb") as output:
                    for chunk in answer.iter_bytes(_CHUNK):
                        output.write(chunk)
                        progress(len(chunk))
        except httpx.TransportError as error:
            raise PlatformError(f"The download broke off: {error}. Try again.", code="broken_off") from error

    def download_result(self, result: Json, folder: Path, progress: Progress | None = None) -> Path:
        """Download one result file into `folder`, going on where an earlier try was cut off; its SHA-256 is checked."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / Path(result["filename"]).name
        part = path.with_name(path.name + ".part")
        self._download(result, part, progress or (lambda _size: None))
        found = hash_file(part)
        if found != result["sha256"]:
            part.unlink()
            raise PlatformError(f"'{path.name}' arrived damaged (SHA-256 {found}). Download it again.", code="damaged")
        part.replace(path)
        return path

    def _download(self, result: Json, part: Path, progress: Progress) -> None:
        have = part.stat().st_size if part.exists() else 0
        if have >= result["size"]:
            have = 0
        headers = self._authorise({"Range": f"bytes={have}-"} if have else {})
        with self._http.stream("GET", f"/api/v1/files/{result['id']}/content", headers=headers) as answer:
            if not answer.is_success:
                answer.read()
                raise _explain(answer)
            resumed = answer.status_code == 206
            progress(have if resumed else 0)
            with part.open("ab" if resumed else "wb") as output:
                for chunk in answer.iter_bytes(_CHUNK):
                    output.write(chunk)
                    progress(len(chunk))

    # Requests

    def _call_json(self, method: str, path: str, **options: Any) -> Json:
        answer: Json = self.call(method, path, **options)
        return answer

    def call(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> Any:
        """The JSON of an answer, as the person who is logged in. Raises `PlatformError`."""
        return self._send(method, path, headers=self._authorise(headers or {}), **options)

    def list_all(self, path: str, **filters: Any) -> list[Json]:
        """Every item of a list, page by page."""
        items: list[Json] = []
        params = {name: value for name, value in filters.items() if value is not None}
        while True:
            page = self.call("GET", path, params=params)
            if isinstance(page, list):
                return page
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            params["cursor"] = page["next_cursor"]

    def _send(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise PlatformError(f"{self.gateway_url} does not answer: {error}", code="unreachable") from error
        if not answer.is_success:
            raise _explain(answer)
        return answer.json() if answer.content else None

    def _authorise(self, headers: Mapping[str, str]) -> dict[str, str]:
        if time.monotonic() >= self._renew_at:
            if not self._refresh_token:
                raise PlatformError("Log in first: imputehub login", code="unauthenticated", status=401)
            self._take_grant({"grant_type": "refresh_token", "refresh_token": self._refresh_token})
        return {**headers, "Authorization": f"Bearer {self._access_token}"}

    def _take_grant(self, form: Mapping[str, str]) -> None:
        grant = self._send("POST", "/api/v1/auth/token", data=dict(form))
        self._access_token = grant["access_token"]
        self._renew_at = time.monotonic() + max(grant["expires_in"] - _RENEW_BEFORE_S, 1)
        self._refresh_token = grant["refresh_token"]
        self._on_refresh(self._refresh_token)


def hash_file(path: Path) -> str:
    """SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_damage(archive: Path) -> str:
    """What in a zip of results is not as its manifest says; empty where all is."""
    try:
        with zipfile.ZipFile(archive) as opened:
            for file in json.loads(opened.read("manifest.json"))["files"]:
                found = hashlib.sha256()
                with opened.open(file["path"]) as member:
                    while chunk := member.read(_CHUNK):
                        found.update(chunk)
                if found.hexdigest() != file["sha256"]:
                    return str(file["path"])
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        return str(error) or "it has no end"
    return ""


def _read_chunks(path: Path, progress: Progress) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
            progress(len(chunk))


def _explain(answer: httpx.Response) -> PlatformError:
    try:
        problem = answer.json()
        message, code = str(problem["detail"]), str(problem["code"])
    except (ValueError, KeyError, TypeError):
        message, code = f"The platform answered {answer.status_code}.", ""
    return PlatformError(message, code=code, status=answer.status_code)

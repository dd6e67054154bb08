"""The shapes of WES's JSON as far as they are used, in every form that servers send; unknown fields are ignored.

WES promises little (all fields of a log may be missing), so a field of another form counts as absent; only what the
platform cannot do without is required.
"""

from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)


def _drop_unfit(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        return None


Text = Annotated[str | None, WrapValidator(_drop_unfit)]
Table = Annotated[dict[str, Any] | None, WrapValidator(_drop_unfit)]


def read_texts(value: Any) -> list[str]:
    """A list of texts, or one text with commas (WESkit writes several engine versions so)."""
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return [part.strip() for part in parts if isinstance(part, str) and part.strip()]


def read_versions(value: Any) -> list[str]:
    """`{"workflow_type_version": [..]}` (1.0, 1.1), a plain list (Starter Kit), or text (engines of 1.0)."""
    if isinstance(value, dict):
        return [version for versions in value.values() for version in read_texts(versions)]
    return read_texts(value)


class ServiceInfo(BaseModel):
    """`GET /service-info`. `id` and `name` came with 1.0.1. `plain_lists`: as only the Starter Kit writes versions."""

    workflow_type_versions: dict[str, list[str]]
    supported_wes_versions: list[str] = []
    workflow_engine_versions: dict[str, list[str]] = {}
    id: Text = None
    name: Text = None
    version: Text = None
    plain_lists: bool = False

    @model_validator(mode="before")
    @classmethod
    def _notice_lists(cls, value: Any) -> Any:
        types = value.get("workflow_type_versions") if isinstance(value, dict) else None
        if not isinstance(types, dict):
            return value
        return {**value, "plain_lists": any(isinstance(versions, list) for versions in types.values())}

    @field_validator("workflow_type_versions", mode="before")
    @classmethod
    def _read_types(cls, value: Any) -> Any:
        return {key: read_versions(versions) for key, versions in value.items()} if isinstance(value, dict) else value

    @field_validator("workflow_engine_versions", mode="before")
    @classmethod
    def _read_engines(cls, value: Any) -> dict[str, list[str]]:
        return {str(key): read_versions(versions) for key, versions in value.items()} if isinstance(value, dict) else {}

    @field_validator("supported_wes_versions", mode="before")
    @classmethod
    def _read_supported(cls, value: Any) -> list[str]:
        return read_texts(value)


class ServiceFacts(ServiceInfo):
    """The rest of service-info, which only people read; `contact_info_url` is 1.0.0's word for `contactUrl`."""

    organization: Table = None
    description: Text = None
    contactUrl: Annotated[Text, Field(validation_alias=AliasChoices("contactUrl", "contact_info_url"))] = None  # noqa: N815
    documentationUrl: Text = None  # noqa: N815
    auth_instructions_url: Text = None
    supported_filesystem_protocols: list[str] = []
    default_workflow_engine_parameters: Any = None
    system_state_counts: Table = None
    tags: Table = None

    @field_validator("supported_filesystem_protocols", mode="before")
    @classmethod
    def _read_protocols(cls, value: Any) -> list[str]:
        return read_texts(value)


class RunStatus(BaseModel):
    """`GET /runs/{id}/status`, and an entry of a list; `tags` are None where the server lists runs without them."""

    run_id: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$")
    state: str
    tags: Table = None
    start_time: Text = None


class RunPage(BaseModel):
    """One page of `GET /runs`; some servers of 1.0 name the list `workflows`."""

    runs: list[RunStatus] = Field(validation_alias=AliasChoices("runs", "workflows"))
    next_page_token: Text = None


class RunRequest(BaseModel):
    tags: Table = None


class Log(BaseModel):
    """`stdout` and `stderr`: an address, a path, or the text itself."""

    stdout: Text = None
    stderr: Text = None
    exit_code: Annotated[int | None, WrapValidator(_drop_unfit)] = None
    system_logs: list[str] = []

    @field_validator("system_logs", mode="before")
    @classmethod
    def _read_logs(cls, value: Any) -> list[str]:
        return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


class RunLog(BaseModel):
    """`GET /runs/{id}`; `outputs` is whatever the engine gives."""

    request: Annotated[RunRequest | None, WrapValidator(_drop_unfit)] = None
    run_log: Annotated[Log | None, WrapValidator(_drop_unfit)] = None
    outputs: Any = None


class TokenAnswer(BaseModel):
    """What a token endpoint gives (OAuth 2); `expires_in` in seconds."""

    access_token: str = Field(min_length=1)
    expires_in: Annotated[float | None, WrapValidator(_drop_unfit)] = None

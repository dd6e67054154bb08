"""What job_processor tells: a run has ended."""

from pydantic import ValidationError
from sqlalchemy.orm import Session

from microservices.contracts.job_processor import RUN_ENDED, RunEnded
from microservices.file_manager.logic.input_links import revoke_input_links
from microservices.kernel.errors import InvalidInputError
from microservices.kernel.events import Event
from microservices.kernel.inbox import EventHandler


def _end_links(session: Session, event: Event) -> None:
    try:
        ended = RunEnded.model_validate(event.data)
    except ValidationError as error:
        raise InvalidInputError(f"The data of {event.type} are not as agreed.") from error
    revoke_input_links(session, ended.run_id, ended.attempt)


HANDLERS: dict[str, EventHandler] = {RUN_ENDED: _end_links}

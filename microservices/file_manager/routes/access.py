"""Who calls, and with what: the dependencies of this service's routes."""

from typing import Annotated
from uuid import UUID

from anyio import to_thread
from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from microservices.file_manager.logic.engine import Engine
from microservices.file_manager.logic.input_links import check_input_link
from microservices.kernel.auth import PEOPLE, AccessRule, Principal
from microservices.kernel.errors import InvalidInputError


class LinkOrPersonRule(AccessRule):
    """Whoever has a signed link to the file of this path, or a person with a token. None: the bearer of a link."""

    async def __call__(self, connection: HTTPConnection) -> Principal | None:
        if "signature" not in connection.query_params:
            return await super().__call__(connection)
        try:
            file_id = UUID(connection.path_params["file_id"])
        except ValueError as error:
            raise InvalidInputError("The file's id in the link is not a UUID.") from error
        engine: Engine = connection.app.state.engine
        link_id = engine.links.verify(file_id, connection.query_params)
        if link_id is not None:
            await to_thread.run_sync(check_input_link, engine.database, link_id)
        return None


def get_engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


EngineDep = Annotated[Engine, Depends(get_engine)]
Caller = Annotated[Principal, Depends(PEOPLE)]
LinkOrPerson = Annotated[Principal | None, Depends(LinkOrPersonRule())]

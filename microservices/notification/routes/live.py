"""`GET /api/v1/events`: the WebSocket on which people are told what concerns them (`api.md`: live events)."""

from fastapi import APIRouter, Depends, WebSocket

from microservices.kernel.auth import PEOPLE_BY_MESSAGE, Principal
from microservices.kernel.errors import ForbiddenError
from microservices.kernel.logs import get_logger
from microservices.kernel.requests import accept_request_id, problem_response
from microservices.notification.logic.live_stream import LiveStream
from microservices.notification.logic.origins import is_welcome

log = get_logger(__name__)

router = APIRouter(tags=["live events"])


@router.websocket("/api/v1/events", dependencies=[Depends(PEOPLE_BY_MESSAGE)])
async def stream_events(websocket: WebSocket) -> None:
    state = websocket.app.state
    if not is_welcome(websocket.headers.get("origin"), state.allowed_origins):
        await _refuse_origin(websocket)
        return

    async def admit(token: str) -> Principal:
        return await PEOPLE_BY_MESSAGE.admit(websocket, token)

    await LiveStream(websocket, admit, state.hub, state.database, state.settings).serve()


async def _refuse_origin(websocket: WebSocket) -> None:
    request_id = accept_request_id(websocket.headers.get("x-request-id"))
    log.info("live_connection_refused", origin=websocket.headers["origin"][:200], request_id=request_id)
    refusal = ForbiddenError("Pages of this origin may not listen to live events.", code="origin_refused")
    await websocket.send_denial_response(problem_response(refusal, request_id))

"""`GET /api/v1/events`: the WebSocket on which people are told what concerns them (`api.md`: live events)."""

from fastapi import APIRouter, Depends, WebSocket

from microservices.kernel.auth import PEOPLE_BY_MESSAGE, Principal
from microservices.kernel.errors import ForbiddenError
from microservices.kernel.requests import accept_request_id, problem_response
from microservices.notification.logic.live_stream import LiveStream
from microservices.notification.logic.origins import is_welcome

router = APIRouter(tags=["live events"])


@router.websocket("/api/v1/events", dependencies=[Depends(PEOPLE_BY_MESSAGE)])
async def stream_events(websocket: WebSocket) -> None:
    state = websocket.app.state
    if not is_welcome(websocket.headers.get("origin"), state.allowed_origins):
        refusal = ForbiddenError("Pages of this origin may not listen to live events.", code="origin_refused")
        request_id = accept_request_id(websocket.headers.get("x-request-id"))
        await websocket.send_denial_response(problem_response(refusal, request_id))
        return

    async def admit(token: str) -> Principal:
        return await PEOPLE_BY_MESSAGE.admit(websocket, token)

    await LiveStream(websocket, admit, state.hub, state.database, state.settings).serve()

"""`/openapi.json` and `/docs` of the whole platform. The page needs nothing from elsewhere: it works offline."""

from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse

from microservices.kernel.auth import ANYONE

_PAGE = Path(__file__).parent.parent / "pages" / "docs.html"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"

router = APIRouter(tags=["docs"], dependencies=[Depends(ANYONE)], include_in_schema=False)


@router.get("/openapi.json")
async def describe_platform(request: Request) -> JSONResponse:
    state = request.app.state
    document: dict[str, Any] = await state.merged_schema.get(state.gateway.forwarder.session)
    return JSONResponse(document)


@router.get("/docs")
async def show_docs() -> HTMLResponse:
    return HTMLResponse(_read_page(), headers={"Content-Security-Policy": _POLICY})


@cache
def _read_page() -> str:
    return _PAGE.read_text(encoding="utf-8")

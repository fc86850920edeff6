"""JSON answers, each saying that it is synthetic."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """``content`` as UTF-8 JSON, Vietnamese letters left as they are."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status_code=status, headers=headers, media_type="application/json; charset=utf-8")


def fault(status: int, error: str, says: str, headers: dict[str, str] | None = None) -> Response:
    """An error as the portals write it."""
    return answer({"synthetic": True, "error": error, "error_description": says}, status, headers)


class SyntheticLabel:
    """Puts ``X-Synthetic: true`` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-synthetic", b"true")]
            await send(message)

        await self._app(scope, receive, labelled if scope["type"] == "http" else send)

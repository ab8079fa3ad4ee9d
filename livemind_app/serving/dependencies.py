"""What handlers are given of a request: the manager of the sessions, and the session that its path names."""

from typing import Annotated

from fastapi import Depends, Path, Request

from livemind_app.serving.clients import client_of
from livemind_app.session.manager import SessionManager
from livemind_app.session.session import Session


async def manager_of(request: Request) -> SessionManager:
    manager: SessionManager = request.app.state.manager
    return manager


Manager = Annotated[SessionManager, Depends(manager_of)]
Token = Annotated[str, Path(description="As given by `POST /api/sessions`.")]


async def session_of(token: Token, request: Request, manager: Manager) -> Session:
    return manager.get(token, client_of(request.scope))


Found = Annotated[Session, Depends(session_of)]

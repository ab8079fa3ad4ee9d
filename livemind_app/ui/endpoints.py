"""What `gradio_client` users call: the same sessions as the page's, without a browser.

client.predict("Half a question. And", 1, token, api_name="/draft")
client.predict("The whole question?", token, api_name="/submit")
"""

from dataclasses import asdict
from typing import Any

import gradio as gr

from livemind_app.errors import LiveMindError, SessionError
from livemind_app.session.clients import ANYBODY, Client
from livemind_app.session.manager import SessionManager
from livemind_app.session.session import Session
from livemind_app.session.state import TurnState


class Endpoints:
    """Calls the session only; what a session refuses becomes a gr.Error with the same message."""

    def __init__(self, manager: SessionManager) -> None:
        self._manager = manager

    async def draft(
        self, text: str, revision: int = -1, session: str = "", request: gr.Request | None = None
    ) -> dict[str, Any]:
        """Tell what has been typed so far, so that thinking can begin; repeat with every change.

        `session` is what an earlier call returned; an empty one begins a session. `revision` grows
        with every change of the text; -1 counts by itself.
        """
        try:
            own = self._session(session, _client(request))
            number = revision if revision >= 0 else own.state.revision + 1
            segments = own.draft(number, text)
        except LiveMindError as error:
            raise _shown(error) from error
        return {
            "session": own.token,
            "revision": number,
            "segments": [asdict(segment) for segment in segments],
        }

    async def submit(
        self,
        text: str,
        session: str = "",
        lanes: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """The answer to `text` with the figures of every lane, when all lanes have ended.

        With the session of earlier `/draft` calls the answer builds on the notes made meanwhile;
        without one the prompt is answered on its own and nothing is kept.
        """
        try:
            self._refuse_failed_models()
            client = _client(request)
            own = self._session(session, client)
            try:
                number = own.submit(own.state.revision + 1, text, lanes).id
                turn = await _ended(own, number)
            finally:
                if not session:
                    await self._manager.delete(own.token, client)
        except LiveMindError as error:
            raise _shown(error) from error
        return {"session": session, "turn": turn.id, "answer": turn.answer, "lanes": _lanes(turn)}

    def _session(self, token: str, client: Client) -> Session:
        return self._manager.get(token, client) if token else self._manager.create(client=client)

    def _refuse_failed_models(self) -> None:
        failed = [model for model in self._manager.engine.status() if model.state == "failed"]
        if failed:
            raise gr.Error(f"{failed[0].name} could not be loaded: {failed[0].detail}", print_exception=False)


def _client(request: gr.Request | None) -> Client:
    """As the server knows it (serving/clients.py); a call from within has none."""
    scope = request.request.scope if request and request.request else {}
    client: Client = scope.get("livemind.client", ANYBODY)
    return client


async def _ended(session: Session, number: int) -> TurnState:
    async for _ in session.events():
        turn = next((turn for turn in session.state.turns if turn.id == number), None)
        if turn is None:
            raise gr.Error("A new chat was begun before the answer was complete.", print_exception=False)
        if turn.done:
            return turn
    raise gr.Error("The session ended before the answer was complete.", print_exception=False)


def _lanes(turn: TurnState) -> dict[str, Any]:
    return {
        name: {
            "status": lane.status,
            "text": lane.text,
            "metrics": asdict(lane.metrics) if lane.metrics else None,
        }
        for name, lane in turn.lanes.items()
    }


def _shown(error: LiveMindError) -> gr.Error:
    code = f" ({error.code})" if isinstance(error, SessionError) else ""
    return gr.Error(f"{error}{code}", print_exception=False)

"""Login with Hugging Face, as Gradio has it: a button on the page, a signed cookie that says who it was."""

import os
import time
from importlib.util import find_spec

import gradio as gr
from starlette.types import Message, Receive, Scope, Send

from livemind_app.errors import ConfigError

NEEDED = ("SPACE_ID", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES", "OPENID_PROVIDER_URL")


class SpaceUsers:
    """Who is logged in, by the cookie of Gradio's login. Raises ConfigError outside a Space that has it.

    Elsewhere Gradio's button would log everybody in as whoever runs the server.
    """

    def __init__(self) -> None:
        missing = [name for name in NEEDED if not os.environ.get(name)]
        if missing or os.environ.get("SYSTEM") != "spaces":
            what = f"; there is no {missing[0]}" if missing else ""
            raise ConfigError(f"--login huggingface needs a Space whose README says `hf_oauth: true`{what}")
        if not find_spec("authlib") or not find_spec("itsdangerous"):
            raise ConfigError("--login huggingface needs the packages of gradio[oauth]")

    def follow(self, page: gr.routes.App) -> None:
        """Read the cookies of this app, which has a gr.LoginButton."""
        from starlette.middleware.sessions import SessionMiddleware

        sessions = next(one for one in page.user_middleware if "secret_key" in one.kwargs)
        self._reader = SessionMiddleware(_nothing, **sessions.kwargs)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope) -> str:
        """The user's id; empty where nobody is logged in, or was for too long."""
        read = dict(scope)
        await self._reader(read, _no_body, _no_answer)
        login = read["session"].get("oauth_info")
        if not login or login.get("expires_at", 0) < time.time():
            return ""
        return str(login["userinfo"]["sub"])


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers nothing, so that no cookie is written."""


async def _no_body() -> Message:
    return {"type": "http.request", "body": b""}


async def _no_answer(message: Message) -> None:
    """For `_nothing`."""

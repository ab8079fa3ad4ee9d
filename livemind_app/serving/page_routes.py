"""Which of Gradio's routes there are: those that the page and `gradio_client` use.

Gradio has many more, for uploads, files, streams, recordings, proxies and heartbeats. Nothing here needs
them, so nobody can fill a disk or hold a connection by them, nor by one that a later Gradio brings.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from livemind_app.serving.errors import no_path

PAGE = ("/", "/config", "/config/", "/favicon.ico", "/robots.txt", "/theme.css")
FILES = "/assets/"
LOGIN = ("/login/huggingface", "/login/callback", "/logout")
QUEUE = ("/gradio_api/queue/join", "/gradio_api/queue/data")  # by it the page learns who is logged in
ENDPOINTS = ("/gradio_api/info", "/gradio_api/info/", "/gradio_api/cancel", "/gradio_api/reset")
CALLS = "/gradio_api/call/"  # the same endpoints for programs without Gradio's client


class PageRoutes:
    """Lets those requests through to Gradio's app; for it the others' paths do not exist."""

    def __init__(self, app: ASGIApp, endpoints: bool, login: bool) -> None:
        self.app = app
        queue = QUEUE if endpoints or login else ()
        self._paths = {*PAGE, *queue, *(ENDPOINTS if endpoints else ()), *(LOGIN if login else ())}
        self._folders = (FILES, CALLS) if endpoints else (FILES,)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else "/"
        known = path in self._paths or path.startswith(self._folders)
        await (self.app if known else no_path())(scope, receive, send)

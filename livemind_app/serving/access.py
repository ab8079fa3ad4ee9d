"""Who may ask what: the operator's choices, and the guards that they put around the API and the page."""

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from livemind_app.serving.addresses import Addresses, Proxies
from livemind_app.serving.clients import Clients, User, user_of
from livemind_app.serving.headers import SecurityHeaders
from livemind_app.serving.login import Login
from livemind_app.serving.origins import ForeignPages
from livemind_app.serving.rates import AtOnce, RateLimit


@dataclass(frozen=True)
class Access:
    at_once: int = 0  # requests of one address that are being answered, streams among them; 0: any number
    rate: float = 0  # requests a second of one address, and of one user; 0: any number
    origins: tuple[str, ...] = ()  # other sites whose pages may use the API
    framed_by: tuple[str, ...] = ()  # other sites whose pages may show ours in a frame
    password: str | None = None
    proxies: Proxies | None = None  # that say for whom they ask; None: those on this machine
    user: User | None = None  # who is logged in; None: nobody has to


def guard(app: FastAPI, access: Access, body_timeout_s: float) -> None:
    """Innermost first: a refusal still gets the headers that a browser needs to show it."""
    if access.rate and access.user:
        app.add_middleware(RateLimit, per_s=access.rate, who=user_of)
    app.add_middleware(Clients, framed=bool(access.framed_by), user=access.user)
    if access.password:
        app.add_middleware(
            Login,
            password=access.password,
            framed=bool(access.framed_by),
            body_timeout_s=body_timeout_s,
        )
    if access.rate:
        app.add_middleware(RateLimit, per_s=access.rate)
    if access.at_once:
        app.add_middleware(AtOnce, most=access.at_once)
    app.add_middleware(ForeignPages, allowed=access.origins)
    # There even where it allows nothing: without it Gradio's own would allow everything.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=access.origins,
        allow_methods=["DELETE", "GET", "PATCH", "POST", "PUT"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID", "X-Request-ID"],
        expose_headers=["Retry-After", "X-Request-ID"],
    )
    app.add_middleware(SecurityHeaders, framed_by=access.framed_by)
    app.add_middleware(Addresses, proxies=access.proxies)

"""A provider of OpenID logins on loopback: everybody who asks is let in, as the user that a test names."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from livemind_app.serving.server import Server, address, at_once, listen

CLIENT = "client-of-a-test"


@dataclass
class Provider:
    user: str = "ada"
    issuer: str = ""
    nonces: dict[str, str] = field(default_factory=dict)  # by code

    def __post_init__(self) -> None:
        self._key = RSAKey.generate_key(2048, {"kid": "test", "use": "sig", "alg": "RS256"})
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self.configuration)
        self.app.get("/authorize")(self.authorize)
        self.app.post("/token")(self.token)
        self.app.get("/keys")(self.keys)

    async def configuration(self) -> dict[str, str]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    async def authorize(self, request: Request) -> RedirectResponse:
        query = request.query_params
        code = f"code-{len(self.nonces)}"
        self.nonces[code] = query["nonce"]
        target = query["redirect_uri"]
        back = urlencode({"code": code, "state": query["state"]})
        return RedirectResponse(f"{target}{'&' if '?' in target else '?'}{back}")

    async def token(self, request: Request) -> dict[str, Any]:
        code = str((await request.form())["code"])
        now = int(time.time())
        claims = {
            **{"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 600, "nonce": self.nonces[code]},
            **{"sub": f"id-of-{self.user}", "name": self.user, "preferred_username": self.user},
            **{"profile": f"https://huggingface.co/{self.user}", "picture": ""},
        }
        signed = jwt.encode({"alg": "RS256", "kid": "test"}, claims, self._key)
        token = {"access_token": "secret-of-hf", "token_type": "bearer", "expires_in": 600}
        return {**token, "scope": "openid profile", "id_token": signed}

    async def keys(self) -> dict[str, Any]:
        return dict(KeySet([self._key]).as_dict(private=False))


@contextmanager
def provider() -> Iterator[Provider]:
    made, started = Provider(), threading.Event()
    with listen("127.0.0.1", 0) as listening:
        made.issuer = address(listening)
        server = Server(made.app, listening, end_streams=at_once, announce=lambda _: started.set())
        thread = threading.Thread(target=server.run)
        thread.start()
        assert started.wait(30)
        yield made
        server.should_exit = True
        thread.join(20)

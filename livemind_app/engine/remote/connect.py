"""What a server has and takes: asked once, before the first prompt."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from livemind_app.engine.remote.address import Address
from livemind_app.engine.remote.client import Client
from livemind_app.engine.remote.completion import Served
from livemind_app.engine.remote.failures import DENIED, Refused
from livemind_app.engine.remote.tokens import remote_tokenizer
from livemind_app.errors import ModelError, ServerFailed

REFUSALS = (400, 404, 422)  # of what a server cannot do


async def ask(client: Client, address: Address) -> Served:
    """Raises ServerFailed for what may pass, ModelError for what the operator has to change."""
    model = await _choose(client, address, await client.models())
    root = str(model.get("root") or model["id"])
    told = model.get("max_model_len") or (model.get("meta") or {}).get("n_ctx_train")
    context = int(told) if told else None
    tokenizer = await asyncio.to_thread(remote_tokenizer, address.tokenizer, root, context)
    served = Served(str(model["id"]), tokenizer, tokenizer.end_ids(None))
    return await _able(client, served)


async def _choose(client: Client, address: Address, models: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = address.model
    found = [model for model in models if not wanted or model.get("id") == wanted]
    if wanted and not found and await _answers(client, wanted):
        return {"id": wanted}
    if len(found) != 1:
        names = ", ".join(str(model.get("id")) for model in models) or "none"
        raise ModelError(
            f"{address.base} serves {names}; write which one is meant behind its address: …/v1#MODEL"
        )
    return found[0]


async def _answers(client: Client, model: str, **body: Any) -> bool:
    """Whether it takes this; a router need not list what its workers serve."""
    body = {"model": model, "prompt": "a", "max_tokens": 1, "stream": True, **body}
    try:
        async with aclosing(client.complete(body, {})) as pieces:
            async for _ in pieces:
                pass
    except Refused as error:
        if error.status in DENIED:
            raise ModelError(str(error)) from error
        if error.status not in REFUSALS:
            raise ServerFailed(str(error)) from error  # it may do later
        return False
    return True


async def _able(client: Client, served: Served) -> Served:
    """With what not every server takes, where this one does."""
    ids = served.tokenizer.encode("a")
    spelt = not await _answers(client, served.name, prompt=list(ids))
    served = replace(served, spelt=spelt)
    extras: dict[str, Any] = {"return_token_ids": True, "return_tokens_as_token_ids": True}
    extras |= {"add_special_tokens": False} if spelt else {}  # the marks of turns are spelt too
    for name, value in (("cache_salt", "probe"), ("priority", 1)):
        if await _answers(client, served.name, prompt=served.prompt(ids), **extras, **{name: value}):
            extras[name] = value
    return replace(served, extras=extras)

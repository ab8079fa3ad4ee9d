"""LiveMind: chat on open models that thinks while its user types.

As a library: an engine, and sessions on top of it.

    engine = livemind_app.load_engine("tiny")
    manager = livemind_app.SessionManager(engine)

Names are imported when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livemind_app.engine.local import LocalEngine
    from livemind_app.loading import load_engine
    from livemind_app.protocol import Chunk, Finished, Message, Priority, Request, Sampling
    from livemind_app.session.limits import Limits
    from livemind_app.session.manager import SessionManager
    from livemind_app.session.options import Options
    from livemind_app.session.session import Session

__version__ = "0.1.0"

_HOMES = {
    "LocalEngine": "engine.local",
    "load_engine": "loading",
    "Chunk": "protocol",
    "Finished": "protocol",
    "Message": "protocol",
    "Priority": "protocol",
    "Request": "protocol",
    "Sampling": "protocol",
    "Limits": "session.limits",
    "SessionManager": "session.manager",
    "Options": "session.options",
    "Session": "session.session",
}

__all__ = [
    "Chunk",
    "Finished",
    "Limits",
    "LocalEngine",
    "Message",
    "Options",
    "Priority",
    "Request",
    "Sampling",
    "Session",
    "SessionManager",
    "load_engine",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

"""Gradio prints what failed together with what was sent. Here it is logged where it failed, and no more."""

import logging
import sys
import traceback
from types import ModuleType
from typing import Any

from gradio import queueing, route_utils, routes, utils

from livemind_app.errors import where_raised

log = logging.getLogger(__name__)


class _Traceback:
    """The module `traceback`, as Gradio gets it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(traceback, name)

    @staticmethod
    def print_exc(*_: object) -> None:
        error = sys.exception()
        log.error("Gradio refused a request, or failed.\n%s", where_raised(error) if error else "")


def keep_gradio_discreet() -> None:
    modules: tuple[ModuleType, ...] = (queueing, route_utils, routes, utils)
    for module in modules:
        module.traceback = _Traceback()  # type: ignore[attr-defined]

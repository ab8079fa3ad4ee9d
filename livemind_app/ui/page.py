"""The page: Gradio components with stable ids, brought to life by the scripts in `static/`.

Components only hold places and inputs. Drafts, events and answers go between the scripts and the
session API, one stream per page; model text never passes through a Gradio component.
"""

import json
from typing import Any

import gradio as gr
from gradio.events import api

from livemind_app.session.manager import SessionManager
from livemind_app.session.options import CHOICES
from livemind_app.ui.discreet import keep_gradio_discreet
from livemind_app.ui.endpoints import Endpoints
from livemind_app.ui.theme import build_theme

STATIC = "static"  # where static/ is served, relative to the page

# Later ones win.
STYLES = ("colors", "base", "composer", "options", "answers", "timeline", "panels", "narrow")
HEAD = "\n".join(
    [
        *(f'<link rel="stylesheet" href="{STATIC}/style/{name}.css">' for name in STYLES),
        f'<script type="module" src="{STATIC}/app.js"></script>',
    ]
)

HISTORY = '<a href="history">Run history</a>'

HEADER = """
<header class="lm-header">
<h1>LiveMind</h1>
<p>Thinks while you type, so the answer is there sooner.</p>
%s<nav class="lm-tools" aria-label="Page"></nav>
</header>
"""


def mount_options(*, endpoints: bool = True) -> dict[str, Any]:
    """What `gr.mount_gradio_app` (or `launch`) must be told to show this page as it is meant."""
    return {
        "theme": build_theme(),
        "head": HEAD,
        "footer_links": ["api"] if endpoints else [],
    }


def build_page(
    manager: SessionManager, *, endpoints: bool = True, login: bool = False, history: bool = False
) -> gr.Blocks:
    """The page and its two named endpoints, `/draft` and `/submit`.

    `history`: whether to lead to it. No endpoints where there are several servers: Gradio sends the parts of
    a call to any of them.
    """
    keep_gradio_discreet()
    page = gr.Blocks(title="LiveMind", analytics_enabled=False, fill_width=True)
    with page:
        _header(history)
        if login:
            gr.LoginButton(elem_id="lm-login", size="sm")
        prompt = _composer()
        _place("lm-tabs")
        _lanes()
        _place("lm-timeline")
        _place("lm-runs")
        _place("lm-benchmark")
        _place("lm-inspector")
        _place("lm-history")
        _place("lm-chats")
        prompt.change(fn=None, js=_call("changed()"))
        if endpoints:
            _endpoints(Endpoints(manager))
    return page


def _call(code: str) -> str:
    """A browser-side handler that calls a function which static/app.js exports."""
    module = f"new URL({json.dumps(STATIC + '/app.js')}, document.baseURI).href"
    return f"async () => (await import({module})).{code}"


def _place(name: str) -> None:
    """An empty element that the scripts fill."""
    gr.HTML('<div class="lm-mount"></div>', elem_id=name, apply_default_css=False, js_on_load=None)


def _header(history: bool) -> None:
    gr.HTML(
        HEADER % (HISTORY if history else ""), elem_id="lm-header", apply_default_css=False, js_on_load=None
    )


def _composer() -> gr.Textbox:
    with gr.Column(elem_id="lm-composer"):
        with gr.Row(elem_id="lm-top"):
            _place("lm-consent")
            _place("lm-options")
        prompt = gr.Textbox(
            label="Your prompt",
            placeholder="Type a few sentences…",
            lines=1,
            max_lines=8,
            elem_id="lm-prompt",
            container=False,
            interactive=True,
        )
        with gr.Row(elem_id="lm-actions"):
            _place("lm-status")
            _place("lm-speech")
            gr.Button("New chat", elem_id="lm-new", size="sm")
            gr.Button("Stop", elem_id="lm-stop", size="sm", variant="stop")
            gr.Button("Send", elem_id="lm-send", size="sm", variant="primary")
        _stage()
    return prompt


def _stage() -> None:
    """Of one height, whatever it shows: nothing below it moves."""
    with gr.Column(elem_id="lm-stage"):
        for name in ("segments", "intro", "notes", "begun", "turn", "models"):
            _place(f"lm-{name}")


def _lanes() -> None:
    with gr.Row(elem_id="lm-lanes"):
        for lane in CHOICES["lanes"]:
            _place(f"lm-lane-{lane}")


def _endpoints(endpoints: Endpoints) -> None:
    api(endpoints.draft, api_name="draft", concurrency_limit=None)
    api(endpoints.submit, api_name="submit", concurrency_limit=None)

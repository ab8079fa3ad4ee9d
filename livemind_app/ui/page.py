"""The page: Gradio components with stable ids, brought to life by the scripts in `static/`.

Components only hold places and inputs. Drafts, events and answers go between the scripts and the
session API, one stream per page; model text never passes through a Gradio component.
"""

import json
from typing import Any, NamedTuple

import gradio as gr
from gradio.events import api

from livemind_app.session.manager import SessionManager
from livemind_app.session.options import CHOICES, RANGES, Options
from livemind_app.ui.endpoints import Endpoints
from livemind_app.ui.examples import EXAMPLES
from livemind_app.ui.theme import build_theme

STATIC = "static"  # where static/ is served, relative to the page
ANSWERED_BY = [("Large model", "live"), ("Small model", "live-slm")]
COMPARED = [
    ("Conventional way", "conventional"),
    ("Small model alone", "slm"),
    ("Exact", "exact"),
    ("Exact, small model", "exact-slm"),
]
MODES = [("Take notes", "infer"), ("Get the exact answer ready", "exact"), ("Nothing", "off")]
FORMATS = {
    "append": "append: notes follow their sentences",
    "u-pi": "u-pi: prompt, then notes",
    "u-pli": "u-pli: prompt, last sentence, then notes",
    "u-spi": "u-spi: each sentence with its note",
    "ua-pil": "ua-pil: prompt and notes, the last sentence apart",
    "ua-spi": "ua-spi: sentences and notes as a conversation",
}

HEAD = f"""
<link rel="stylesheet" href="{STATIC}/page.css">
<script type="module" src="{STATIC}/app.js"></script>
"""

HEADER = """
<header class="lm-header">
<h1>LiveMind</h1>
<p>Thinks while you type, so the answer is there sooner.</p>
<button type="button" class="lm-dark" aria-label="Switch between light and dark">◐</button>
</header>
"""


def mount_options() -> dict[str, Any]:
    """What `gr.mount_gradio_app` (or `launch`) must be told to show this page as it is meant."""
    return {
        "theme": build_theme(),
        "head": HEAD,
        "footer_links": ["api"],
    }


class OptionInputs(NamedTuple):
    """The option components, in the order of `optionValues()` in static/app.js."""

    mode: gr.Radio
    format: gr.Dropdown
    granularity: gr.Dropdown
    min_length: gr.Slider
    answered_by: gr.Radio
    compared: gr.CheckboxGroup
    temperature: gr.Slider
    max_tokens: gr.Slider
    note_tokens: gr.Slider
    lookahead: gr.Checkbox


def build_page(manager: SessionManager) -> gr.Blocks:
    """The page and its two named endpoints, `/draft` and `/submit`."""
    page = gr.Blocks(title="LiveMind", analytics_enabled=False, fill_width=True)
    with page:
        _header()
        prompt = _composer()
        inputs = _options(manager.defaults)
        _place("lm-turn")
        _place("lm-tabs")
        _lanes()
        _place("lm-timeline")
        _place("lm-history")
        prompt.change(fn=None, js=_call("changed()"))
        _send_options(inputs)
        page.load(fn=None, js=_call("optionValues()"), outputs=list(inputs))
        _endpoints(Endpoints(manager))
    return page


def _call(code: str, parameters: str = "") -> str:
    """A browser-side handler that calls a function which static/app.js exports."""
    module = f"new URL({json.dumps(STATIC + '/app.js')}, document.baseURI).href"
    return f"async ({parameters}) => (await import({module})).{code}"


def _place(name: str) -> None:
    """An empty element that the scripts fill."""
    gr.HTML('<div class="lm-mount"></div>', elem_id=name, apply_default_css=False, js_on_load=None)


def _header() -> None:
    gr.HTML(HEADER, elem_id="lm-header", apply_default_css=False, js_on_load=None)
    _place("lm-models")


def _composer() -> gr.Textbox:
    with gr.Column(elem_id="lm-composer"):
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
            new = gr.Button("New chat", elem_id="lm-new", size="sm")
            stop = gr.Button("Stop", elem_id="lm-stop", size="sm", variant="stop")
            send = gr.Button("Send", elem_id="lm-send", size="sm", variant="primary")
        _place("lm-segments")
        _place("lm-notes")
        _examples(prompt)
    new.click(fn=None, js=_call("newChat()"))
    stop.click(fn=None, js=_call("stop()"))
    send.click(fn=None, js=_call("send()"))
    return prompt


def _examples(prompt: gr.Textbox) -> None:
    with gr.Row(elem_id="lm-examples"):
        for name, text in EXAMPLES.items():
            button = gr.Button(name, size="sm", elem_classes="lm-example")
            button.click(fn=None, js=f"() => {json.dumps(text)}", outputs=prompt)


def _lanes() -> None:
    with gr.Row(elem_id="lm-lanes"):
        for lane in CHOICES["lanes"]:
            _place(f"lm-lane-{lane}")


def _options(defaults: Options) -> OptionInputs:
    with gr.Accordion("Options", open=False, elem_id="lm-options"), gr.Row():
        with gr.Column(min_width=240):
            mode = gr.Radio(
                MODES,
                value=defaults.mode,
                label="While I type",
                info="Notes change the answer, the exact one is the conventional. Nothing: no text is sent.",
                interactive=True,
            )
            answered_by = gr.Radio(
                ANSWERED_BY,
                value="live-slm" if "live-slm" in defaults.lanes else "live",
                label="Answered by",
                info="Who writes LiveMind's answer; the notes are always the large model's.",
                interactive=True,
            )
            compared = gr.CheckboxGroup(
                COMPARED,
                value=[lane for _, lane in COMPARED if lane in defaults.lanes],
                label="Compare with",
                info="Answered after LiveMind, one by one, to measure what they cost.",
                interactive=True,
            )
        with gr.Column(min_width=240):
            granularity = gr.Dropdown(
                list(CHOICES["granularity"]),
                value=defaults.granularity,
                label="Granularity",
                info="What must be complete before it is thought about.",
                interactive=True,
            )
            min_length = _slider(defaults, "min_length", "Minimum length", "Characters a part has at least.")
            form = gr.Dropdown(
                [(label, name) for name, label in FORMATS.items()],
                value=defaults.format,
                label="Format",
                info="How prompt and notes are laid out for the model.",
                interactive=True,
            )
        with gr.Column(min_width=240):
            temperature = _slider(
                defaults, "temperature", "Temperature", "0 always takes the likeliest word.", step=0.05
            )
            max_tokens = _slider(
                defaults, "max_tokens", "Longest answer", "In tokens, about ¾ of a word each."
            )
            note_tokens = _slider(
                defaults, "note_tokens", "Longest note", "In tokens; fewer when you type fast."
            )
            lookahead = gr.Checkbox(
                defaults.lookahead,
                label="Lookahead",
                info="Drafts several words at once; the model confirms each. The answer stays the same.",
                interactive=True,
            )
    return OptionInputs(
        mode,
        form,
        granularity,
        min_length,
        answered_by,
        compared,
        temperature,
        max_tokens,
        note_tokens,
        lookahead,
    )


def _slider(defaults: Options, name: str, label: str, info: str, step: float = 1) -> gr.Slider:
    low, high = RANGES[name]
    value = getattr(defaults, name)
    return gr.Slider(low, high, value=value, step=step, label=label, info=info, interactive=True)


def _send_options(inputs: OptionInputs) -> None:
    """Every change by the user goes to the session; `.input` leaves out our own restoring of values."""
    for name in (
        "mode",
        "format",
        "granularity",
        "min_length",
        "temperature",
        "max_tokens",
        "note_tokens",
        "lookahead",
    ):
        component = getattr(inputs, name)
        component.input(fn=None, inputs=component, js=_call(f"option('{name}', value)", "value"))
    lanes = [inputs.answered_by, inputs.compared]
    chosen = _call("laneOptions(by, compared)", "by, compared")
    inputs.answered_by.input(fn=None, inputs=lanes, js=chosen)
    inputs.compared.input(fn=None, inputs=lanes, js=chosen)


def _endpoints(endpoints: Endpoints) -> None:
    api(endpoints.draft, api_name="draft", concurrency_limit=None)
    api(endpoints.submit, api_name="submit", concurrency_limit=None)

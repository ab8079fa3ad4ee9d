"""What the model takes for granted, each with where it is from; every one is an option of the script."""

from dataclasses import dataclass, field, fields
from typing import Any

DRAFT = "[draft.md](draft.md), run 3: `conventional-brief`, and `infer` before and after Enter, on two cores"
SWEEP = (
    "[a sweep of Llama-3.1-8B on an H100](https://yobitelcomm.github.io/bench/recipes/concurrency-sweep/), "
    "vLLM 0.21, fp16, 16 streams; not measured here"
)


def _from(default: float, what: str, source: str) -> Any:
    return field(default=default, metadata={"what": what, "source": source})


@dataclass(frozen=True)
class Assumptions:
    keys_per_s: float = _from(4.0, "keystrokes a second of who types", "the LiveMind paper's typist")
    prompt_s: float = _from(30.0, "seconds that a prompt is typed", "a round number: 120 characters")
    typing: float = _from(0.3, "share of open pages in which somebody types", "a round number")
    notes: float = _from(1.0, "share of finished segments that get a note", "the most there can be")
    goal_ms: float = _from(100.0, "for 99 of 100 acknowledgements", "gate 1 of the load tests")
    spare: float = _from(0.3, "share of app and engine replicas kept free", "for crowds and failures")
    router_ms: float = _from(
        6.6,
        "CPU of a router before the replicas, for each draft",
        "Ray's proxy in `make test-load ARGS='-k stays_on_the_replica'`; nginx takes far less",
    )
    replica_ms: float = _from(
        7.0,
        "CPU of a replica for each draft, beyond the app's own",
        "Ray Serve in the same test; 0 for `livemind serve` behind another router",
    )
    tokens: float = _from(160.0, "of an answer without work ahead", DRAFT)
    tokens_before: float = _from(50.0, "written before Enter, with work ahead", "the same")
    tokens_after: float = _from(146.0, "written after Enter, with work ahead", "the same")
    engine_tokens_per_s: float = _from(1384.0, "that an engine replica (a GPU) writes", SWEEP)
    stream_tokens_per_s: float = _from(91.0, "that one reader of them gets", "the same: 10.94 ms a token")
    app_hour: float = _from(
        0.0335,
        "dollars for a core of the app tier",
        "[Inference Endpoints](https://huggingface.co/docs/inference-endpoints/support/pricing) "
        "of Hugging Face, AWS intel-spr, read on 22 November 2026",
    )
    engine_hour: float = _from(
        3.99,
        "dollars for an engine replica",
        "[Lambda](https://lambda.ai/instances), an H100 SXM of eight, as transcribed on 20 September 2026",
    )
    gb_out: float = _from(
        0.09,
        "dollars for a gigabyte to the internet",
        "AWS's usual price of the first 10 TB of a month; not looked up again; large buyers pay less",
    )

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least_is_free = name in ("notes", "spare", "tokens_before", "router_ms", "replica_ms")
            if value < 0 or (value == 0 and not least_is_free):
                raise ValueError(f"{name} is {value}, but must be above 0")
        if self.spare >= 1 or self.typing > 1 or self.notes > 1:
            raise ValueError("--spare must be below 1, --typing and --notes at most 1")


NAMES = tuple(each.name for each in fields(Assumptions))


def option(name: str) -> str:
    """
    >>> option("gb_out")
    '--gb-out'
    """
    return "--" + name.replace("_", "-")

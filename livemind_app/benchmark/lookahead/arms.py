"""The policies: each says the same answer, in its own time."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel

from livemind_app.benchmark.engine.subjects import Clock
from livemind_app.decoding.lookahead.calibration import Calibration
from livemind_app.decoding.lookahead.drafter import Drafter, Drafts, Shared
from livemind_app.decoding.lookahead.original import OriginalDrafts, Strategy
from livemind_app.engine.cache import CachePool
from livemind_app.engine.generation import generation
from livemind_app.engine.model import LoadedModel
from livemind_app.protocol import Chunk, Finished, Request

GREEDY = "greedy"
LOOKUP_TOKENS = 10  # of prompt lookup


@dataclass(frozen=True)
class Said:
    """One answer. The clock runs from its first token to its last: prefill is the same for all."""

    ids: tuple[int, ...]
    seconds: float
    forwards: int
    drafted: int = 0
    draft_s: float = 0.0


class Arm(ABC):
    """A policy."""

    name: str

    @abstractmethod
    def answer(self, ids: Sequence[int], tokens: int) -> Said:
        """Greedy, at most so many tokens, ended by the model's end tokens."""


class Ours(Arm):
    """The engine's own loop; without drafts it is the baseline."""

    def __init__(self, name: str, model: LoadedModel) -> None:
        self.name = name
        self._model = model

    def answer(self, ids: Sequence[int], tokens: int) -> Said:
        request = Request(tuple(ids), "llm", tokens, lookahead=self._model.lookahead is not None)
        said: list[int] = []
        began = ended = 0.0
        for output in generation(self._model, CachePool(0), request):
            if isinstance(output, Chunk) and output.ids:
                ended = perf_counter()
                began = began or ended
                said.extend(output.ids)
            if isinstance(output, Finished):
                finished, ended = (
                    output,
                    perf_counter(),
                )  # the forward that said the end counts, as it does for all
        return Said(tuple(said), ended - began, finished.forwards, finished.drafted, finished.draft_s)


class Theirs(Arm):
    """transformers' `generate`."""

    def __init__(self, name: str, network: PreTrainedModel, ends: frozenset[int], **options: Any) -> None:
        self.name = name
        self._network = network
        self._config = GenerationConfig(do_sample=False, eos_token_id=sorted(ends), pad_token_id=0, **options)
        self._ends = ends

    def answer(self, ids: Sequence[int], tokens: int) -> Said:
        prompt, clock = torch.tensor([ids]), Clock()
        self._config.max_new_tokens = tokens
        output = self._network.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            generation_config=self._config,
            stopping_criteria=[clock],
        )
        said = output[0, len(ids) :].tolist()
        if said and said[-1] in self._ends:
            said.pop()
        return Said(tuple(said), clock.times[-1] - clock.times[0], len(clock.times) - 1)


def cold(model: LoadedModel, plain: PreTrainedModel, strategy: Strategy) -> list[Arm]:
    """All policies, each answer as if it were the first."""
    return [
        Ours(GREEDY, replace(model, lookahead=None)),
        Theirs("hf", plain, model.end_ids),
        Theirs("prompt_lookup", plain, model.end_ids, prompt_lookup_num_tokens=LOOKUP_TOKENS),
        Ours("original", drafting(model, lambda: OriginalDrafts(strategy, ends=model.end_ids))),
        Ours("chain", drafting(model, drafter(model, width=1))),
        Ours("tree", drafting(model, drafter(model))),
    ]


def warm(model: LoadedModel, prompts: Iterable[Sequence[int]], tokens: int, strategy: Strategy) -> list[Arm]:
    """Those that learn from other answers, after these prompts. The original goes on learning, as it does."""
    shared, original = Shared(open=True), OriginalDrafts(strategy, ends=model.end_ids)
    learning = Ours("learning", drafting(model, drafter(model, shared)))
    for ids in prompts:
        original.read(ids)
        original.said(learning.answer(ids, tokens).ids)
        original.ended()
    learned = replace(shared, open=False)
    return [
        Ours("original", drafting(model, lambda: original)),
        Ours("chain", drafting(model, drafter(model, learned, width=1))),
        Ours("tree", drafting(model, drafter(model, learned))),
    ]


def drafting(model: LoadedModel, new_drafts: Callable[[], Drafts]) -> LoadedModel:
    assert model.lookahead
    return replace(model, lookahead=replace(model.lookahead, new_drafts=new_drafts))


def drafter(
    model: LoadedModel, shared: Shared | None = None, width: int | None = None
) -> Callable[[], Drafts]:
    """Ours. From one answer to the next only numbers stay: how often kinds of drafts were right."""
    calibration = Calibration()
    return lambda: Drafter(calibration, shared, ends=model.end_ids, width=width)

"""Ways to answer. Each has the beginning of the prompt read before the clock starts, as while it is typed."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from time import perf_counter

import torch
from torch import Tensor

from livemind_app.engine.cache import CachePool, KVCache
from livemind_app.engine.generation import generation
from livemind_app.engine.model import LoadedModel
from livemind_app.engine.scheduler import Generation
from livemind_app.llm_to_slm.conditioner import LAYERS, Conditioner
from livemind_app.llm_to_slm.generation import Pair
from livemind_app.llm_to_slm.training.examples import Example, additions, answer_ids, collate, example, losses
from livemind_app.llm_to_slm.training.features import states_of
from livemind_app.protocol import Chunk, Finished, Guide, Request, Role, Tokenizer
from livemind_app.session import guides
from livemind_app.session.formats import conventional
from livemind_app.session.lanes import LANE_ROLE, LaneName
from livemind_app.text.segment import segment
from livemind_app.training.prompts import Prompt

ROOM = 2**30  # bytes of caches


@dataclass(frozen=True)
class Said:
    """An answer. `ttft` from the submit, `seconds` from the first token to the last."""

    text: str
    tokens: int
    ttft: float | None
    seconds: float
    ended: bool


class Arm(ABC):
    """A way to answer; `lane` says who reads and writes."""

    def __init__(self, name: str, lane: LaneName, models: dict[Role, LoadedModel]) -> None:
        self.name = name
        self._lane = lane
        self._models = models

    def answer(self, prompt: Prompt, tokens: int) -> Said:
        """Greedy. All but the last segment has been read when the clock starts."""
        pool, read = CachePool(ROOM), "".join(segment(prompt.text)[:-1])
        if read:
            ahead = guides.steady(self._tokenizer, self._lane, conventional([], read))
            _drain(self._generation(pool, self._request(ahead, 0)))
        whole = guides.rendered(self._tokenizer, self._lane, prompt.messages)
        return _timed(self._generation(pool, self._request(whole, tokens)))

    @abstractmethod
    def nats(self, prompt: Prompt, answer: str, *, ended: bool) -> float:
        """−log of the probability of an answer."""

    @abstractmethod
    def _generation(self, pool: CachePool, request: Request) -> Generation: ...

    def _request(self, prompt: guides.Prompt, tokens: int) -> Request:
        role = LANE_ROLE[self._lane]
        return Request(prompt.ids, role, tokens, cache_key=self._lane, guide=prompt.guide)

    def _tokenizer(self, role: Role) -> Tokenizer:
        return self._models[role].tokenizer


class Alone(Arm):
    """One model, and nobody's states."""

    def __init__(self, name: str, model: LoadedModel, lane: LaneName) -> None:
        super().__init__(name, lane, {"llm": model, "slm": model})
        self._model = model

    def nats(self, prompt: Prompt, answer: str, *, ended: bool) -> float:
        ids = answer_ids(self._model, answer, ended=ended)
        made = Example(prompt.id, self._model.tokenizer.render(prompt.messages), (0,), ids)
        return _nats(self._model, made, torch.zeros(1, LAYERS, 1))

    def _generation(self, pool: CachePool, request: Request) -> Generation:
        return generation(self._model, pool, request)


class Guided(Arm):
    """The small model from the large one's states, or from others that a control puts `instead`.

    `instead` is [tokens, LAYERS, width]; its last row stands for all that a prompt has more.
    """

    def __init__(
        self,
        name: str,
        models: dict[Role, LoadedModel],
        conditioner: Conditioner,
        instead: Tensor | None = None,
    ) -> None:
        """The small one of `models` has the adapter's updates in its weights."""
        super().__init__(name, "llm-to-slm", models)
        self.instead = instead
        self._conditioner = conditioner

    def nats(self, prompt: Prompt, answer: str, *, ended: bool) -> float:
        reader, writer = self._models["llm"], self._models["slm"]
        ids = answer_ids(writer, answer, ended=ended)
        made = example(prompt.id, prompt.messages, ids, reader.tokenizer, writer.tokenizer)
        states = states_of(reader, reader.tokenizer.render(prompt.messages))
        if self.instead is not None:
            states = _as_many(self.instead, len(states))
        return _nats(writer, made, states, self._conditioner)

    def _generation(self, pool: CachePool, request: Request) -> Generation:
        pair = _Exchanged(self._models["llm"], self._models["slm"], self._conditioner)
        pair.instead = self.instead
        return pair.generation(pool, request)


class _Exchanged(Pair):
    """States are exchanged after they were read, so that a control takes as long."""

    instead: Tensor | None = None

    def added(self, read_cache: KVCache, guide: Guide) -> Tensor:
        if self.instead is None:
            return super().added(read_cache, guide)
        with torch.inference_mode():
            mixed = self._conditioner.mix(self.instead.to(self._writer.model.device))
        return super().added(KVCache(states=_as_many(mixed, len(guide.ids))), guide)


def _as_many(states: Tensor, count: int) -> Tensor:
    return states[torch.arange(count).clamp(max=len(states) - 1)]


@torch.inference_mode()
def _nats(model: LoadedModel, made: Example, states: Tensor, conditioner: Conditioner | None = None) -> float:
    batch = collate([made], [states], [True]).to(model.model.device)
    added = additions(conditioner, batch) if conditioner else None
    return float(losses(model.model, batch, added)[0])


def _drain(steps: Generation) -> None:
    for _ in steps:
        pass


def _timed(steps: Generation) -> Said:
    began = perf_counter()
    text, tokens, times, ended = "", 0, [began], False
    for output in steps:
        if isinstance(output, Chunk):
            text, tokens = text + output.text, tokens + len(output.ids)
            times += [perf_counter()] if output.ids else []
        elif isinstance(output, Finished):
            ended = output.reason == "eos"
    first = times[1] if tokens else None
    return Said(text, tokens, first and first - began, times[-1] - (first or began), ended)

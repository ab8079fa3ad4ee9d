"""Lookahead decoding on a model: a tree of drafts in one forward, kept as far as the model agrees."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from livemind_app.decoding.lookahead.calibration import Calibration
from livemind_app.decoding.lookahead.cost import Costs
from livemind_app.decoding.lookahead.drafter import Drafter, Drafts, Shared
from livemind_app.decoding.lookahead.recycled import Likely
from livemind_app.decoding.lookahead.tree import Tree
from livemind_app.decoding.sampling import Sampler
from livemind_app.engine.cache import KVCache
from livemind_app.engine.step_cost import costs
from livemind_app.errors import ConfigError

if TYPE_CHECKING:
    from livemind_app.engine.model import LoadedModel

MARGIN = 0.25  # of logits in bf16, whose own steps are 0.06 to 0.13 at their usual size
MOST_PUBLIC = 8 * 2**20  # bytes of a public text: more than the trie holds
LIKELY = 8  # next tokens remembered of every row that was kept


@dataclass(frozen=True)
class Lookahead:
    """What the generations of one model share.

    `margin`: logits of a tree's row and of the same token alone differ in their last bits, and in bf16 that
    can swap the two best tokens. A greedy choice closer than this is computed again, alone; 0 trusts rows.
    """

    costs: Costs
    new_drafts: Callable[[], Drafts]
    margin: float = 0.0


def lookahead_for(model: "LoadedModel", shared: Shared | None = None) -> Lookahead | None:
    """Our own policy, with what a forward costs on this machine; None where a model cannot do it."""
    step_costs = costs(model)
    if step_costs is None:
        return None
    calibration = Calibration()
    single = model.model.get_input_embeddings()(torch.tensor([[0]], device=model.model.device)).dtype
    return Lookahead(
        step_costs,
        lambda: Drafter(calibration, shared, ends=model.end_ids),
        margin=0.0 if single == torch.float32 else MARGIN,
    )


def with_lookahead(model: "LoadedModel", shared: Shared | None = None) -> "LoadedModel":
    return replace(model, lookahead=lookahead_for(model, shared))


def shared_drafts(model: "LoadedModel", public: str, *, open: bool) -> Shared | None:
    """What sessions know besides their own text; None if that is nothing. `open`: each other's answers."""
    if not public and not open:
        return None
    shared = Shared(open=open)
    shared.trie.insert(model.tokenizer.encode(public))
    return shared


def read_draft_text(path: str) -> str:
    """Raises ConfigError for what is no text or too long to be worth its memory."""
    try:
        if Path(path).stat().st_size > MOST_PUBLIC:
            raise ConfigError(
                f"the draft text {path} has more than {MOST_PUBLIC >> 20} MiB; take a part of it"
            )
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the draft text {path} ({type(error).__name__})") from error


class Speculation:
    """One generation's drafts and verifications; `cache` holds all of the text but its last token."""

    def __init__(self, lookahead: Lookahead, model: "LoadedModel", cache: KVCache, sampler: Sampler) -> None:
        self._shared = lookahead
        self._model = model
        self._cache = cache
        self._sampler = sampler
        cache.drafts = cache.drafts or lookahead.new_drafts()
        self._drafts = cache.drafts
        self._unsure = False  # the next forward has one row
        self.drafted = 0  # tokens
        self.draft_s = 0.0

    def begin(self, prompt: Sequence[int], token: int) -> None:
        """`token` was drawn after the prompt."""
        with self._drafting():
            self._drafts.read(prompt)
            self._drafts.said([token])

    def step(self, room: int) -> list[int]:
        """One forward: the tokens that it settles, `room` at most. All but the last were drafted."""
        with self._drafting():
            tree = self._draft(min(room, self._model.context - len(self._cache.ids)) - 1)
        logits = self._model.verify(tree, self._cache)
        path, tokens = self._walk(tree, logits)
        if not path:
            tree, logits = self._alone(tree)
            path, tokens = [0], [self._sampler(logits[0])]
        after = logits[path[-1]].clone()  # a view would keep the logits of all rows as long as the cache
        self._cache.accept(path, [tree.tokens[row] for row in path], after)
        with self._drafting():
            self._drafts.learn(tree, path, tokens, likely(logits[path]))
            self._drafts.said(tokens)
        return tokens

    def end(self) -> None:
        with self._drafting():
            self._drafts.ended()

    def _draft(self, depth: int) -> Tree:
        cost = self._shared.costs(len(self._cache.ids))
        tree = self._drafts.draft(cost, 0 if self._unsure else depth)
        self.drafted += len(tree) - 1
        return tree

    def _walk(self, tree: Tree, logits: Tensor) -> tuple[list[int], list[int]]:
        """Rows that stay, and what the model says after each; it ends where it says what was not drafted."""
        rows, last = [0], -1
        tokens: list[int] = []
        self._unsure = False
        while rows:
            if len(tree) > 1 and not self._sampler.sure(logits[rows[0]], self._shared.margin):
                self._unsure = bool(tokens)
                break
            last = rows[0]
            tokens.append(self._sampler(logits[last]))
            rows = tree.follow(rows, tokens[-1])
        return tree.ancestors(last)[::-1], tokens

    def _alone(self, tree: Tree) -> tuple[Tree, Tensor]:
        """The root again, without the others."""
        self._cache.accept([], [], None)
        tree.cut(1)
        return tree, self._model.verify(tree, self._cache)

    @contextmanager
    def _drafting(self) -> Iterator[None]:
        began = perf_counter()
        yield
        self.draft_s += perf_counter() - began


@torch.inference_mode()
def likely(logits: Tensor) -> list[Likely]:
    """The best next tokens of each row ([rows, vocab]) with their probabilities."""
    values, tokens = logits.topk(min(LIKELY, logits.shape[-1]), dim=-1)
    probabilities = (values.float() - logits.float().logsumexp(dim=-1, keepdim=True)).exp()
    pairs = zip(tokens.tolist(), probabilities.tolist(), strict=True)
    return [tuple(zip(*pair, strict=True)) for pair in pairs]

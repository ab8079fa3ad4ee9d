"""Prompts and answers as tokens of both models, and batches of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from livemind_app.engine.model import LoadedModel
from livemind_app.llm_to_slm.conditioner import Conditioner
from livemind_app.protocol import Message, Tokenizer
from livemind_app.text.align import align

pad = nn.utils.rnn.pad_sequence


@dataclass(frozen=True)
class Example:
    """Tokens of the small model, and for each of the prompt the large one's that it goes with."""

    id: str
    prompt: tuple[int, ...]
    places: tuple[int, ...]
    answer: tuple[int, ...]  # with the end of the turn, where the answer came to an end

    @property
    def tokens(self) -> int:
        return len(self.prompt) + len(self.answer)


def example(
    key: str, messages: Sequence[Message], answer: tuple[int, ...], reader: Tokenizer, writer: Tokenizer
) -> Example:
    wide, narrow = reader.locate(messages), writer.locate(messages)
    return Example(key, narrow.ids, align(wide.places, narrow.places), answer)


def answer_ids(model: LoadedModel, text: str, *, ended: bool) -> tuple[int, ...]:
    """An answer's tokens, with the end of its turn."""
    return model.tokenizer.encode(text) + ((end_of_turn(model),) if ended else ())


def end_of_turn(model: LoadedModel) -> int:
    """The token by which the model's template ends an assistant's turn."""
    chat: list[Message] = [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}]
    ids = model.tokenizer.render(chat, answer=False)
    return next((token for token in reversed(ids) if token in model.end_ids), min(model.end_ids))


@dataclass(frozen=True)
class Batch:
    """Rows of examples, padded behind."""

    ids: Tensor  # [batch, tokens]
    seen: Tensor  # [batch, tokens], False at padding
    answers: Tensor  # [batch, tokens], True at tokens of answers
    prompts: Tensor  # [batch], lengths
    places: Tensor  # [batch, prompt], indices of states
    states: Tensor  # [batch, reader's tokens, LAYERS, width]
    missing: Tensor  # [batch, reader's tokens], True at padding
    kept: Tensor  # [batch], 0.0 where an example goes without states

    def to(self, device: torch.device) -> "Batch":
        return replace(self, **{name: tensor.to(device) for name, tensor in vars(self).items()})


def collate(examples: Sequence[Example], states: Sequence[Tensor], kept: Sequence[bool]) -> Batch:
    """`states` [tokens, LAYERS, width] of each example's prompt."""
    rows = [torch.tensor(example.prompt + example.answer) for example in examples]
    ids = pad(rows, batch_first=True)
    prompts = torch.tensor([len(example.prompt) for example in examples])
    place, ends = torch.arange(ids.shape[1]), torch.tensor([example.tokens for example in examples])
    lengths = torch.tensor([len(each) for each in states])
    stacked = pad(list(states), batch_first=True)
    return Batch(
        ids=ids,
        seen=place < ends[:, None],
        answers=(place >= prompts[:, None]) & (place < ends[:, None]),
        prompts=prompts,
        places=pad([torch.tensor(example.places) for example in examples], batch_first=True),
        states=stacked,
        missing=torch.arange(stacked.shape[1]) >= lengths[:, None],
        kept=torch.tensor(kept, dtype=torch.float32),
    )


def additions(conditioner: Conditioner, batch: Batch) -> Tensor:
    """What goes to the embeddings, [batch, tokens, writer]: zero at answers, and where states are dropped."""
    mixed = conditioner.mix(batch.states)
    projected = conditioner.project(mixed)
    inside = torch.arange(batch.places.shape[1], device=mixed.device) < batch.prompts[:, None]
    chosen = projected.gather(1, batch.places[..., None].expand(-1, -1, projected.shape[-1]))
    added = chosen.new_zeros(*batch.ids.shape, chosen.shape[-1])
    added[:, : chosen.shape[1]] = chosen * inside[..., None]
    summary = conditioner.summarize(mixed, batch.missing)
    at = batch.prompts[:, None] + torch.arange(-summary.shape[1], 0, device=mixed.device)
    summary = summary * (at >= 0)[..., None]
    added = added.scatter_add(1, at.clamp(min=0)[..., None].expand_as(summary), summary)
    return added * batch.kept[:, None, None]


def losses(network: nn.Module, batch: Batch, added: Tensor | None = None) -> Tensor:
    """Nats of each example's answer, [batch]."""
    embedded: Tensor = network.get_input_embeddings()(batch.ids)  # type: ignore[operator]
    if added is not None:
        embedded = embedded + added.to(embedded.dtype)
    states = network.base_model(inputs_embeds=embedded, attention_mask=batch.seen.long())[0]  # type: ignore[operator]
    asked = batch.answers[:, 1:]
    logits = network.get_output_embeddings()(states[:, :-1][asked])  # type: ignore[operator]
    nats = nn.functional.cross_entropy(logits.float(), batch.ids[:, 1:][asked], reduction="none")
    row = torch.arange(len(batch.ids), device=nats.device)[:, None].expand_as(asked)[asked]
    return nats.new_zeros(len(batch.ids)).index_add(0, row, nats)

"""What a model itself says to prompts, greedily and in batches: texts to train on, or on another one."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from tqdm import tqdm

from livemind_app.engine.model import LoadedModel
from livemind_app.engine.packed.kv import GrowingCache
from livemind_app.engine.packed.phase import decoding
from livemind_app.journal import Table
from livemind_app.training.prompts import Prompt

WINDOW = 16  # batches among which prompts are sorted by length, so that little is padded


def answer(model: LoadedModel, prompts: Sequence[Prompt], journal: Table, *, tokens: int, batch: int) -> None:
    """Add a row for each prompt that has none: id, prompt, answer, and whether it came to an end."""
    todo = [prompt for prompt in prompts if prompt.id not in journal.rows]
    with tqdm(total=len(todo), desc="answers", unit="prompt", mininterval=1.0) as bar:
        for group in _groups(todo, model, batch):
            for prompt, ids in zip(group, _generate(model, group, tokens), strict=True):
                said = [token for token in ids if token not in model.end_ids]
                text, ended = model.tokenizer.decode(said), len(said) < len(ids)
                journal.add({"id": prompt.id, "prompt": prompt.text, "answer": text, "ended": ended})
            bar.update(len(group))


def _groups(prompts: Sequence[Prompt], model: LoadedModel, batch: int) -> Iterator[list[Prompt]]:
    for start in range(0, len(prompts), WINDOW * batch):
        window = sorted(prompts[start : start + WINDOW * batch], key=lambda prompt: len(prompt.text))
        yield from (window[at : at + batch] for at in range(0, len(window), batch))


@torch.inference_mode()
def _generate(model: LoadedModel, prompts: Sequence[Prompt], tokens: int) -> list[list[int]]:
    """Ids of the answers, the end token included where there is one. What has ended leaves the batch."""
    said: list[list[int]] = [[] for _ in prompts]
    going = list(range(len(prompts)))
    ids, seen = _padded([model.tokenizer.render(prompt.messages) for prompt in prompts])
    cache = GrowingCache()
    logits = _forward(model, ids, seen, cache)
    while True:
        for number, token in zip(going, logits.argmax(dim=-1).tolist(), strict=True):
            said[number].append(token)
        stay = [
            row
            for row, number in enumerate(going)
            if len(said[number]) < tokens and said[number][-1] not in model.end_ids
        ]
        if not stay:
            return said
        if len(stay) < len(going):
            going, seen = [going[row] for row in stay], seen[stay]
            cache.take(stay)
        seen = torch.cat((seen, seen.new_ones(len(seen), 1)), dim=1)
        with decoding():
            logits = _forward(model, torch.tensor([said[number][-1:] for number in going]), seen, cache)


def _padded(prompts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ids, padded before, and 1 where there is a token."""
    rows = [torch.tensor(ids) for ids in prompts]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_side="left")
    lengths = torch.tensor([len(row) for row in rows])
    return ids, (torch.arange(ids.shape[1]) >= ids.shape[1] - lengths[:, None]).long()


def _forward(model: LoadedModel, ids: Tensor, seen: Tensor, cache: GrowingCache) -> Tensor:
    """Logits after the last token of each row, [batch, vocab]."""
    device = model.model.device
    places = (seen.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
    output = model.model(
        input_ids=ids.to(device),
        attention_mask=seen.to(device),
        position_ids=places.to(device),
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    logits: Tensor = output.logits[:, -1]
    return logits

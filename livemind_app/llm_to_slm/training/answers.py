"""What the large model itself says to prompts, greedily and in batches; this is what the small one learns."""

from collections.abc import Iterator, Sequence

import torch
from tqdm import tqdm
from transformers import GenerationConfig

from livemind_app.engine.generation import LoadedModel
from livemind_app.journal import Table
from livemind_app.llm_to_slm.training.prompts import Prompt

WINDOW = 16  # batches among which prompts are sorted by length, so that little is padded


def answer(model: LoadedModel, prompts: Sequence[Prompt], journal: Table, *, tokens: int, batch: int) -> None:
    """Add a row for each prompt that has none: id, answer, and whether it came to an end."""
    todo = [prompt for prompt in prompts if prompt.id not in journal.rows]
    with tqdm(total=len(todo), desc="answers", unit="prompt", mininterval=1.0) as bar:
        for group in _groups(todo, model, batch):
            for prompt, ids in zip(group, _generate(model, group, tokens), strict=True):
                said = [token for token in ids if token not in model.end_ids]
                text, ended = model.tokenizer.decode(said), len(said) < len(ids)
                journal.add({"id": prompt.id, "answer": text, "ended": ended})
            bar.update(len(group))


def _groups(prompts: Sequence[Prompt], model: LoadedModel, batch: int) -> Iterator[list[Prompt]]:
    for start in range(0, len(prompts), WINDOW * batch):
        window = sorted(prompts[start : start + WINDOW * batch], key=lambda prompt: len(prompt.text))
        yield from (window[at : at + batch] for at in range(0, len(window), batch))


@torch.inference_mode()
def _generate(model: LoadedModel, prompts: Sequence[Prompt], tokens: int) -> Iterator[list[int]]:
    """Ids of the answers, the end token included where there is one, padding left out."""
    rows = [torch.tensor(model.tokenizer.render(prompt.messages)) for prompt in prompts]
    end = min(model.end_ids)
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=end, padding_side="left")
    lengths = torch.tensor([len(row) for row in rows])
    seen = torch.arange(ids.shape[1]) >= ids.shape[1] - lengths[:, None]
    config = GenerationConfig(
        do_sample=False, max_new_tokens=tokens, eos_token_id=sorted(model.end_ids), pad_token_id=end
    )
    device = model.model.device
    output = model.model.generate(ids.to(device), attention_mask=seen.to(device), generation_config=config)
    for row in output[:, ids.shape[1] :].tolist():
        ends = [at for at, token in enumerate(row) if token in model.end_ids]
        yield row[: ends[0] + 1] if ends else row

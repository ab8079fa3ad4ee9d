"""The large model's states of prompts, on disk as 16-bit numbers: computed once, read in every epoch.

states.f16      [tokens of all prompts, LAYERS, width], one prompt after the other
states.jsonl    which rows are whose
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from livemind_app.engine.model import LoadedModel
from livemind_app.journal import Table
from livemind_app.llm_to_slm.conditioner import LAYERS
from livemind_app.llm_to_slm.reader import hidden, layers_of
from livemind_app.training.prompts import Prompt


class Features:
    """Of one large model, by prompt."""

    def __init__(self, folder: Path, llm: str, config: Any) -> None:
        self._width: int = config.get_text_config().hidden_size
        self._path = folder / "states.f16"
        settings = {"llm": llm, "layers": list(layers_of(config)), "width": self._width}
        self._journal = Table(folder / "states.jsonl", settings)
        self._end = sum(row["tokens"] for row in self._journal.rows.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.__exit__()

    @property
    def lengths(self) -> Mapping[str, int]:
        """Tokens of each prompt."""
        return {key: row["tokens"] for key, row in self._journal.rows.items()}

    def compute(self, model: LoadedModel, prompts: Sequence[Prompt]) -> None:
        """Of the prompts that are missing; what a killed run half wrote is written over."""
        todo = [prompt for prompt in prompts if prompt.id not in self._journal.rows]
        self._path.touch()
        with self._path.open("r+b") as file:
            file.truncate(self._end * self._row_bytes)
            file.seek(0, 2)
            for prompt in tqdm(todo, desc="states", unit="prompt", mininterval=1.0):
                states = states_of(model, model.tokenizer.render(prompt.messages))
                file.write(states.numpy().tobytes())
                file.flush()
                self._journal.add({"id": prompt.id, "start": self._end, "tokens": len(states)})
                self._end += len(states)

    def __getitem__(self, key: str) -> Tensor:
        """[tokens, LAYERS, width] in fp16."""
        row = self._journal.rows[key]
        shape = (row["tokens"], LAYERS, self._width)
        offset = row["start"] * self._row_bytes
        mapped = np.memmap(self._path, np.float16, mode="r", offset=offset, shape=shape)
        return torch.from_numpy(np.array(mapped))

    @property
    def _row_bytes(self) -> int:
        return 2 * LAYERS * self._width


@torch.inference_mode()
def states_of(model: LoadedModel, ids: Sequence[int]) -> Tensor:
    """[tokens, LAYERS, width] in fp16, on the CPU."""
    return hidden(model.model, input_ids=torch.tensor([ids], device=model.model.device))[0].half().cpu()

"""Sentence after sentence: read what is there, predict, decode, and read one's own sentence again."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from transformers import DynamicCache

from livemind_app.sentence_vae.decode import steps
from livemind_app.sentence_vae.decoder import Ids
from livemind_app.sentence_vae.sentences import MOST
from livemind_app.sentence_vae.sllm import Predicted, SentenceModel

LEAST_STOP = 0.5  # probability that the text ends


class Writer:
    """One text of a sentence model. Its cache holds the latents of what was read, and no token.

    Rolling back to fewer sentences costs nothing; a sentence is encoded once.
    """

    def __init__(self, model: SentenceModel) -> None:
        self._model = model
        self._cache = DynamicCache()
        self._blocks: list[Tensor] = [model.begin[None]]  # rows of every block, the beginning first
        self._read = 0  # blocks that are in the cache
        self.sentences: list[Ids] = []

    @property
    def positions(self) -> int:
        """Backbone positions of the blocks in the cache."""
        return int(self._cache.get_seq_length())

    def __len__(self) -> int:
        return self.positions

    @property
    def most_slots(self) -> int:
        """Positions of one sentence at most."""
        return len(self._model.queries)

    @property
    def kv_bytes(self) -> int:
        """Of the keys and values of these positions."""
        return sum(layer.keys.nbytes + layer.values.nbytes for layer in self._cache.layers)

    @property
    def bytes(self) -> int:
        return self.kv_bytes + sum(block.nbytes for block in self._blocks)

    @torch.inference_mode()
    def append(self, sentences: Sequence[Ids]) -> None:
        """Encode sentences behind those that are there; the backbone reads them with the next prediction."""
        if sentences:
            encoded = self._model.codec.encode(sentences)
            self._blocks += [self._model.block(encoded.part(at, at + 1)) for at in range(len(sentences))]
            self.sentences += sentences

    def trim(self, count: int) -> None:
        """Keep the first `count` sentences."""
        kept = self._blocks[: count + 1]
        if self._read > len(kept):
            self._read = len(kept)
            self._cache.crop(sum(map(len, kept)) - self.positions)
        self._blocks, self.sentences = kept, self.sentences[:count]

    @torch.inference_mode()
    def predict(self) -> Predicted:
        """The next sentence's latents, by one call of the backbone."""
        fresh = self._blocks[self._read :]
        queries = self._model.queries
        rows, start = torch.cat([*fresh, queries]), self.positions
        allowed = _allowed(list(map(len, fresh)), len(queries), start, rows.device)
        positions = torch.arange(start, start + len(rows), device=rows.device)[None]
        with self._model.updated():
            states = self._model.base.model(
                inputs_embeds=rows[None],
                attention_mask=allowed[None, None],
                position_ids=positions,
                past_key_values=self._cache,
                use_cache=True,
            ).last_hidden_state[0]
        self._cache.crop(-len(queries))
        self._read = len(self._blocks)
        return self._model.predicted(states[-len(queries) :])

    @torch.inference_mode()
    def say(
        self,
        predicted: Predicted,
        most: int = MOST,
        least: int = 0,
        *,
        choose: Callable[[Tensor], int] = lambda logits: int(logits.argmax()),
        begun: Ids = (),
    ) -> Iterator[int]:
        """The sentence's tokens without its end, greedily unless `choose` does otherwise.

        `begun`: its first tokens, which are said already and not repeated. Reading the sentence again is the
        caller's.
        """
        speaker = self._model.speaker
        previous = [self.sentences[-1]] if self.sentences else None
        for logits, chosen in steps(speaker, predicted.latents, previous, most):
            if begun:
                token, begun = begun[0], begun[1:]
                chosen.fill_(token)
                continue
            if least > 0:
                logits[0, speaker.end] = -torch.inf
            token = choose(logits[0])
            if token == speaker.end:
                return
            least -= 1
            chosen.fill_(token)
            yield token


def write(writer: Writer, most_sentences: int, least_stop: float = LEAST_STOP) -> Iterator[list[int]]:
    """Sentences until the model would stop, says nothing, or has said so many."""
    for _ in range(most_sentences):
        predicted = writer.predict()
        if writer.sentences and float(predicted.stop.sigmoid()) > least_stop:
            return
        sentence = list(writer.say(predicted))
        if not sentence:
            return
        yield sentence
        writer.append([sentence])


def _allowed(blocks: Sequence[int], queries: int, past: int, device: torch.device) -> Tensor:
    """[rows, past + rows]: blocks see what is before them and themselves whole, queries everything."""
    numbers = torch.tensor(
        [n for n, count in enumerate((*blocks, queries)) for _ in range(count)], device=device
    )
    seen = torch.ones(len(numbers), past, dtype=torch.bool, device=device)
    return torch.cat([seen, numbers[None] <= numbers[:, None]], dim=1)

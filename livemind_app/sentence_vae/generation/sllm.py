"""Sentence by sentence: what is read are latents only, and each sentence is shown when it is decoded."""

from collections.abc import Iterator, Sequence
from time import perf_counter

from livemind_app.decoding.sampling import Sampler
from livemind_app.decoding.speech import Speech
from livemind_app.engine.cache import CachePool
from livemind_app.engine.model import LoadedModel
from livemind_app.engine.scheduler import Generation
from livemind_app.protocol import Chunk, Finished, FinishReason, Request
from livemind_app.sentence_vae.decoder import Ids
from livemind_app.sentence_vae.generation.prompt import BATCH, cut, pieces
from livemind_app.sentence_vae.sllm import SentenceModel
from livemind_app.sentence_vae.write import LEAST_STOP, Writer
from livemind_app.text.prefix import common_prefix


class SllmMethod:
    """Implements engine.local.Method. Of `model` only what it knows about tokens is used."""

    def __init__(self, model: LoadedModel, sentences: SentenceModel) -> None:
        self._model = model
        self._sentences = sentences

    def generation(self, pool: CachePool, request: Request) -> Generation:
        with pool.taken(request, lambda: Writer(self._sentences)) as writer:
            yield from SllmRun(self._model, writer, request).steps()


class SllmRun:
    """One request on a text of its own, without the marks of the template: those learned have none."""

    def __init__(self, model: LoadedModel, writer: Writer, request: Request) -> None:
        self._model = model
        self._writer = writer
        self._request = request
        self._sampler = Sampler(request.sampling, request.ids)
        said = request.ids[len(request.ids) - request.said :]
        self._speech = Speech(model.tokenizer.decode, request.stops, said)
        self._cached = 0
        self._tokens = 0
        self._forwards = 0
        self._prefill_s = 0.0
        self._decode_s = 0.0

    def steps(self) -> Generation:
        sentences, begun = self._text()
        known = common_prefix(self._writer.sentences, sentences)
        self._cached = sum(map(len, sentences[:known]))
        self._writer.trim(known)
        for at in range(known, len(sentences), BATCH):
            if self._request.cancel.cancelled:
                break
            began = perf_counter()
            self._writer.append(sentences[at : at + BATCH])
            self._prefill_s += perf_counter() - began
            yield None
        if self._request.cancel.cancelled:
            yield self._finished("cancelled")
        elif self._request.max_tokens:
            yield from self._write(begun)
        else:
            began = perf_counter()
            self._writer.predict()
            self._prefill_s += perf_counter() - began
            yield self._finished("length")

    def _text(self) -> tuple[list[Ids], Ids]:
        """Sentences to read, and the one that an earlier request said last: it may not have been whole."""
        prompt = len(self._request.ids) - self._request.said
        read = [
            piece.ids for piece in pieces(self._request.ids[:prompt], self._model.tokenizer) if not piece.mark
        ]
        said = self._said(read, self._request.ids[prompt:])
        return ([*read, *said[:-1]], said[-1]) if said else (list(read), ())

    def _said(self, read: Sequence[Ids], ids: Ids) -> list[Ids]:
        """As this text has it, else as any text is cut."""
        found: list[Ids] = []
        if self._writer.sentences[: len(read)] == list(read):
            for sentence in self._writer.sentences[len(read) :]:
                if ids[: len(sentence)] != sentence:
                    break
                found.append(sentence)
                ids = ids[len(sentence) :]
        return [*found, *cut(ids, self._model.tokenizer.decode)]

    def _write(self, begun: Ids) -> Generation:
        """Predict, say, show, read it again."""
        least = 0 if begun else 1
        while not self._request.cancel.cancelled:
            said: list[int] = []
            for token in self._sentence(begun, least):
                if token is not None:
                    said.append(token)
                yield None
                if self._request.cancel.cancelled:
                    yield self._finished("cancelled")
                    return
                if self._tokens + len(said) == self._request.max_tokens:
                    break
            if not said and not begun:
                yield from self._end("eos")
                return
            if said:
                yield self._show(said)
            self._read_again((*begun, *said))
            if self._speech.stopped:
                yield self._finished("stop")
                return
            if self._tokens >= self._request.max_tokens or self._full:
                yield from self._end("length")
                return
            begun, least = (), 0
        yield self._finished("cancelled")

    def _sentence(self, begun: Ids, least: int) -> Iterator[int | None]:
        """The next one's tokens; none where the text ends. None: a forward without a token."""
        began = perf_counter()
        predicted = self._writer.predict()
        self._forwards += 1
        self._decode_s += perf_counter() - began
        yield None
        if not begun and not least and float(predicted.stop.sigmoid()) > LEAST_STOP:
            return
        words = self._writer.say(predicted, least=least, choose=self._sampler, begun=begun)
        while True:
            began = perf_counter()
            token = next(words, None)
            self._decode_s += perf_counter() - began
            if token is None:
                return
            yield token

    def _read_again(self, sentence: Ids) -> None:
        began = perf_counter()
        self._writer.append([sentence])
        self._decode_s += perf_counter() - began

    @property
    def _full(self) -> bool:
        return len(self._writer) + 3 * self._writer.most_slots > self._model.context

    def _show(self, tokens: Sequence[int]) -> Chunk:
        self._tokens += len(tokens)
        return Chunk(tuple(tokens), self._speech.push(tokens))

    def _end(self, reason: FinishReason) -> Generation:
        """Pass on what detokenizing and stop strings held back."""
        if rest := self._speech.rest():
            yield Chunk((), rest)
        yield self._finished(reason)

    def _finished(self, reason: FinishReason) -> Finished:
        return Finished(
            reason=reason,
            prompt_tokens=len(self._request.ids),
            cached_tokens=self._cached,
            tokens=self._tokens,
            prefill_s=self._prefill_s,
            decode_s=self._decode_s,
            forwards=self._forwards,
            positions=self._writer.positions,
            kv_bytes=self._writer.kv_bytes,
        )

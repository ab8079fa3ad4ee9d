"""A trained conditioner with its LoRA: a folder (livemind_app/training/checkpoint.py), and a pair of models.

Those that come with the package lie in adapters/<large model>--<small model>/.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from livemind_app.engine.local import Models
from livemind_app.engine.model import LoadedModel
from livemind_app.errors import Coded, ModelError
from livemind_app.llm_to_slm.conditioner import Conditioner, Shape
from livemind_app.llm_to_slm.generation import Pair
from livemind_app.training import checkpoint, lora
from livemind_app.training.merged import merged

KIND = "llm-to-slm"
SHIPPED = Path(__file__).parent / "adapters"


@dataclass(frozen=True)
class Adapter:
    """What was trained for two models, and how."""

    conditioner: Conditioner
    lora: dict[str, Tensor]
    meta: Mapping[str, Any]

    def attach(self, models: Models) -> Pair:
        """Raises ModelError where the models are not those that it was trained for."""
        reader, writer = models["llm"], models["slm"]
        if reader.name != self.meta["llm"]:
            raise ModelError(f"the adapter is for {self.meta['llm']} as llm, not for {reader.name}")
        widths = [model.model.config.get_text_config().hidden_size for model in (reader, writer)]
        if widths != [self.conditioner.shape.reader, self.conditioner.shape.writer]:
            raise ModelError(f"the adapter does not fit {reader.name} and {writer.name}: other widths")
        return Pair(reader, self.merged(writer), self.conditioner.to(reader.model.device).eval())

    def merged(self, writer: LoadedModel) -> LoadedModel:
        """The small model with its updates in its weights. It shares all others with `writer`, which stays.

        Raises ModelError for another model.
        """
        if writer.name != self.meta["slm"]:
            raise ModelError(f"the adapter is for {self.meta['slm']} as slm, not for {writer.name}")
        return merged(writer, self.lora, self.meta["alpha"], self.meta["names"])


def save(
    folder: Path, conditioner: Conditioner, updates: list[lora.LoRALinear], meta: Mapping[str, Any]
) -> None:
    """`meta` has at least llm, slm, alpha and names (of `lora.add_lora`)."""
    tensors = {f"conditioner.{name}": tensor for name, tensor in conditioner.state_dict().items()}
    described = {"kind": KIND, "shape": conditioner.shape.to_dict(), **meta}
    checkpoint.save(folder, {**tensors, **lora.state(updates)}, described)


def load(folder: Path) -> Adapter:
    """Raises ModelError for what is no such adapter, or was changed."""
    tensors, meta = checkpoint.load(folder)
    try:
        if meta["kind"] != KIND:
            raise ModelError(f"{folder} holds a checkpoint of {meta['kind']}, not of {KIND}")
        conditioner = Conditioner(Shape(**meta["shape"]))
        prefix = "conditioner."
        state = {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
        conditioner.load_state_dict(state)
    except (KeyError, TypeError, RuntimeError) as error:
        raise ModelError(f"{folder} is not a complete adapter ({type(error).__name__})") from error
    updates = {name: tensor for name, tensor in tensors.items() if name.startswith("lora.")}
    return Adapter(conditioner.requires_grad_(False), updates, meta)


def shipped(llm: str, slm: str) -> Path | None:
    """The package's own adapter for a pair."""
    folder = SHIPPED / f"{llm}--{slm}"
    return folder if (folder / checkpoint.META).is_file() else None


def missing(llm: str, slm: str) -> str:
    """What to tell a user who wants what nobody has trained."""
    return Coded(
        "no_adapter",
        f"there is no adapter for {llm} → {slm}; train one with `livemind train llm-to-slm --llm {llm} "
        f"--slm {slm} --data FILE --out FOLDER`, then serve with `--adapter FOLDER/adapter`",
    )

"""Which layers of a network can decode lean: those that then give the same. Their prefill stays theirs."""

import logging
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Cache, PreTrainedModel

from livemind_app.engine.compiled.attention import MULTIPLE
from livemind_app.engine.packed.attention import NAME
from livemind_app.engine.packed.groups import GroupLinear, Norm
from livemind_app.engine.packed.kv import GrowingCache
from livemind_app.engine.packed.lean import Angles, Masks, Rotation, Steps
from livemind_app.engine.packed.phase import decoding, phase
from livemind_app.engine.packed.places import PhasedLinear, StackedLinear

log = logging.getLogger(__name__)

TOKENS, BEFORE = 2, 3  # of a trial: its rows, and what its cache has
ALIKE = 0.01  # relative distance of what a layer adds; bf16 in kernels stays below, another rule far above


class LeanLayer(nn.Module):
    """Mixed into a model's own class of layers."""

    lean: Steps | None = None

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        past_key_values: Cache | None = None,
        position_embeddings: Rotation | None = None,
        **options: Any,
    ) -> Tensor:
        batch, tokens, _ = hidden_states.shape
        known = batch == 1 and (attention_mask is not None or tokens == 1)
        if (
            phase.decode
            and self.lean
            and known
            and position_embeddings
            and isinstance(past_key_values, GrowingCache)
        ):
            return self.lean(hidden_states[0], position_embeddings, attention_mask, past_key_values)[None]
        options.update(past_key_values=past_key_values, position_embeddings=position_embeddings)
        output: Tensor = super().forward(hidden_states, attention_mask=attention_mask, **options)
        return output


def make_lean(network: PreTrainedModel) -> None:
    """Every layer that can be; to be called again when projections were replaced."""
    angles, masks = Angles(), Masks()
    for layer in _layers(network):
        steps = _steps(layer, angles, masks)
        layer.lean = None
        if steps and _gives_the_same(steps, layer):
            layer.__class__ = _with_lean(layer.__class__)
            layer.lean = steps


def _layers(network: PreTrainedModel) -> list[Any]:
    if network.config._attn_implementation != NAME:
        return []
    return [module for module in network.modules() if hasattr(module, "self_attn") and hasattr(module, "mlp")]


@cache
def _with_lean(kind: type[nn.Module]) -> type[nn.Module]:
    """Still the model's own class, which transformers looks for."""
    return kind if issubclass(kind, LeanLayer) else type(f"Lean{kind.__name__}", (LeanLayer, kind), {})


def _steps(layer: Any, *shared: Any) -> Steps | None:
    """Of a layer that has the parts, all projections packed."""
    try:
        return _parts(layer.self_attn, layer.mlp, layer, *shared)
    except (AttributeError, TypeError, ValueError):
        return None


def _parts(attention: Any, mlp: Any, layer: Any, angles: Angles, masks: Masks) -> Steps:
    if attention.head_dim % MULTIPLE:
        raise ValueError(f"heads of {attention.head_dim} are not turned {MULTIPLE // 2} at a time")
    (out,), (gated,), (down,) = (
        _kernels(*projections)
        for projections in ([attention.o_proj], [mlp.gate_proj, mlp.up_proj], [mlp.down_proj])
    )
    return Steps(
        index=attention.layer_idx,
        query_heads=attention.config.num_attention_heads,
        kv_heads=attention.config.num_key_value_heads,
        head_size=attention.head_dim,
        scaling=attention.scaling,
        angles=angles,
        masks=masks,
        before=_norm(layer.input_layernorm),
        heads=_kernels(attention.q_proj, attention.k_proj, attention.v_proj),
        out=out,
        between=_norm(layer.post_attention_layernorm),
        gated=gated,
        down=down,
    )


def _norm(module: Any) -> Norm:
    if module.weight.dtype != torch.float32:
        raise TypeError("lean layers compute in fp32")
    return Norm(module.weight.detach(), module.variance_epsilon)


def _kernels(*projections: Any) -> list[GroupLinear]:
    """Of projections that have the same input; a stack has one. Raises TypeError where one is not packed."""
    kernels: list[GroupLinear] = []
    for projection in projections:
        packed = projection.decode if isinstance(projection, PhasedLinear) else projection
        kernel = packed.stack.packed if isinstance(packed, StackedLinear) else packed
        if not isinstance(kernel, GroupLinear):
            raise TypeError(f"{type(kernel).__name__} is not packed")
        if kernel not in kernels:
            kernels.append(kernel)
    return kernels


@torch.inference_mode()
def _gives_the_same(steps: Steps, layer: Any) -> bool:
    """Tried on random rows that follow random ones; what both put in their caches counts too."""
    random = torch.Generator().manual_seed(0)
    x = torch.randn(TOKENS, len(steps.before.weight), generator=random)
    angles = torch.rand(1, TOKENS, steps.head_size // 2, generator=random).repeat(1, 1, 2) * 6
    rotation = angles.cos(), angles.sin()
    mask = torch.ones(TOKENS, BEFORE + TOKENS, dtype=torch.bool).tril(BEFORE)[None, None]
    held = torch.randn(2, 1, steps.kv_heads, BEFORE, steps.head_size, generator=random)
    lean, own = (_filled(held, steps.index) for _ in range(2))
    try:
        with decoding():
            theirs = layer(
                x[None],
                attention_mask=mask,
                position_ids=torch.arange(BEFORE, BEFORE + TOKENS)[None],
                past_key_values=own,
                position_embeddings=rotation,
            )
            ours = steps(x, rotation, mask, lean)
        mine, its = lean.layers[-1], own.layers[-1]
        pairs = ((ours - x, theirs[0] - x), (mine.keys, its.keys), (mine.values, its.values))
        return all((a - b).norm() <= ALIKE * b.norm() for a, b in pairs)
    except Exception as error:  # whatever a foreign layer raises for what it does not know
        log.debug("%s decodes as it did: %s", type(layer).__name__, error)
        return False


def _filled(held: Tensor, index: int) -> GrowingCache:
    kv = GrowingCache()
    kv.update(*held, index)
    return kv

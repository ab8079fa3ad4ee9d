"""What each row of a tree may see: the text before it, and the rows that it follows."""

from typing import Any

import torch
from torch import Tensor

from livemind_app.decoding.lookahead.tree import Tree

FULL, SLIDING = "full_attention", "sliding_attention"  # as transformers names layers


def tree_mask(
    tree: Tree, context: int, config: Any, device: torch.device
) -> Tensor | dict[str, Tensor] | None:
    """True where a row sees, [1, 1, rows, context + rows]; None for a single row: the model's own mask.

    A model with windows gets them by depth in the text, which is not the place in the cache; one with
    layers of both kinds takes a mask for each. Torch's attention wants booleans; eager would *add* them.
    """
    if len(tree) == 1:
        return None
    config = config.get_text_config()
    window = _window(config)
    full = torch.cat((torch.ones(len(tree), context, dtype=torch.bool), _ancestors(tree)), dim=1)
    kinds = set(getattr(config, "layer_types", None) or ())
    if window is None or (kinds and SLIDING not in kinds):
        return full[None, None].to(device)
    sliding = (full & _near(tree, context, window))[None, None].to(device)
    return {FULL: full[None, None].to(device), SLIDING: sliding} if FULL in kinds else sliding


def _window(config: Any) -> int | None:
    """Tokens that sliding layers see; None if nothing slides."""
    if not getattr(config, "use_sliding_window", True):
        return None
    window: int | None = getattr(config, "sliding_window", None)
    return window


def _ancestors(tree: Tree) -> Tensor:
    """[rows, rows]; a row sees itself and what its parent, which comes before it, sees."""
    seen = torch.eye(len(tree), dtype=torch.bool)
    for row in range(1, len(tree)):
        seen[row] |= seen[tree.parents[row]]
    return seen


def _near(tree: Tree, context: int, window: int) -> Tensor:
    """Whether a token lies less than `window` before a row, [rows, context + rows]."""
    depths = torch.tensor(tree.depths)
    distance = context + depths[:, None] - torch.cat((torch.arange(context), context + depths))
    return distance < window

"""The tokenizer of a model that is served elsewhere.

Sessions compare and continue prompts token by token, so they need the model's own tokenizer here. It is
read from the folder that the server names (one machine, or shared storage), or from the hub.
"""

from pathlib import Path

from livemind_app.engine.chat import ChatTokenizer
from livemind_app.engine.models.catalogue import CATALOGUE
from livemind_app.engine.models.hub import tokenizer_snapshot
from livemind_app.engine.models.prepare import prepare
from livemind_app.engine.models.pretrained import TOKENIZER_FILES, share_tokenizer
from livemind_app.errors import ModelError


def remote_tokenizer(named: str, root: str, context: int | None) -> ChatTokenizer:
    """`named` by the operator, else `root`, what the server says its model is. Raises ModelError.

    `context`: tokens that the model takes; None where its server does not tell.
    """
    source = named or root
    try:
        return ChatTokenizer(share_tokenizer(_folder(source)), context)
    except ModelError as error:
        raise ModelError(
            f"the tokenizer of {source!r} is needed here and is not to be had ({error}); "
            "name a folder or a hub id: http://host:port/v1?tokenizer=FOLDER_OR_HUB_ID#model"
        ) from error


def _folder(source: str) -> Path:
    folder = Path(source)
    if (folder / TOKENIZER_FILES[0]).is_file():
        return folder
    if source in CATALOGUE:
        return prepare(source, lambda progress: None)
    return tokenizer_snapshot(source)

"""Where a model is served. Addresses come from the operator only, never from a user."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from livemind_app.errors import ConfigError

SCHEMES = ("http://", "https://")


@dataclass(frozen=True)
class Address:
    base: str  # http://host:port/v1
    model: str = ""  # as the server names it; empty: the only one it has
    tokenizer: str = ""  # a folder or a hub id; empty: what the server says its model is

    def hidden(self, text: str) -> str:
        """The text without where the server is: not everybody who may read it is to know.

        >>> Address("http://10.0.0.5:8000/v1").hidden("http://10.0.0.5:8000/v1 does not answer")
        'the server does not answer'
        """
        return text.replace(self.base, "the server").replace(urlsplit(self.base).netloc, "the server")


def is_address(name: str) -> bool:
    return name.startswith(SCHEMES)


def parse(name: str) -> Address:
    """`http://host:port/v1[?tokenizer=FOLDER_OR_HUB_ID][#model]`, or ConfigError.

    >>> parse("http://127.0.0.1:8011/v1#smol").model
    'smol'
    """
    parts = urlsplit(name)
    query = parse_qs(parts.query, keep_blank_values=True)
    if not is_address(name) or not parts.hostname or query.keys() - {"tokenizer"}:
        raise ConfigError(
            f"{_safe(parts.hostname)}: write a server as http://host:port/v1[?tokenizer=FOLDER_OR_HUB_ID][#model]"
        )
    if parts.username or parts.password:
        raise ConfigError("a server's key belongs into LIVEMIND_API_KEY, not into its address")
    base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return Address(base, parts.fragment, query.get("tokenizer", [""])[0])


def _safe(host: str | None) -> str:
    return host or "an address without a host"

"""The `livemind` command. Subcommands import what they need when they run, so that `--help` is instant."""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from livemind_app import __version__
from livemind_app.config import Settings
from livemind_app.errors import LiveMindError

Run = Callable[[argparse.Namespace], int | None]
SETTINGS = (
    *("preset", "llm", "slm", "offer", "dtype", "weights", "prefill", "mode", "drafts", "draft_text"),
    *("adapter", "sentence_vae"),
    *("host", "port", "log", "history", "history_texts", "rate", "allow_origin", "login"),
    *("remote_connect_s", "remote_alive_s", "remote_first_token_s", "remote_between_tokens_s"),
    *("remote_speculations", "speculate_per_client", "tokens_per_client"),
)
BENCHMARKS = {
    "engine": ("benchmark.engine.command", "how fast and how well weights compute, by format"),
    "llm-to-slm": ("benchmark.llm_to_slm.command", "a small model from a large one's states, and controls"),
    "load": ("benchmark.load.command", "how a server bears many typing users"),
    "lookahead": ("benchmark.lookahead.command", "several tokens a forward, by several policies"),
    "segmentation": ("benchmark.segmentation", "how well sentences are told apart, on marked texts"),
    "sentence-vae": ("benchmark.sentence_vae.command", "sentences as tokens, against their base"),
    "sweep": ("benchmark.typing.sweep", "ways of thinking while the user types, compared on a sample"),
    "typing": ("benchmark.typing.command", "what a typing user gets, against the conventional way"),
}
TRAININGS = {
    "answers": ("training.answers_command", "texts to train on: what a model itself says to prompts"),
    "llm-to-slm": ("llm_to_slm.training.command", "a small model that writes from a large one's states"),
    "sentence-vae": ("sentence_vae.train_command", "the codec that makes sentences tokens"),
    "sllm": ("sentence_vae.train_models_command", "the model that reads or says sentences of a codec"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        args = _parser(arguments).parse_args(arguments)
        args.arguments = arguments  # for what keeps how it was made
        run: Run = args.run
        return run(args) or 0
    except LiveMindError as error:
        print(f"livemind: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `livemind … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livemind", description="Chat on open models that thinks while you type."
    )
    parser.add_argument("--version", action="version", version=f"livemind {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_serve(commands.add_parser("serve", help="serve the page and the HTTP API", allow_abbrev=False))
    about = "the same from several processes or machines, on Ray Serve"
    _add_cluster(commands.add_parser("cluster", help=about, allow_abbrev=False))
    models = commands.add_parser("models", help="list or fetch models")
    _add_lazily(models, "livemind_app.engine.models_cli", wanted=arguments[:1] == ["models"])
    for group, help, members in (("bench", "measure", BENCHMARKS), ("train", "train", TRAININGS)):
        inner = commands.add_parser(group, help=help).add_subparsers(metavar="WHAT", required=True)
        for name, (module, about) in members.items():
            wanted = arguments[:2] == [group, name]
            _add_lazily(inner.add_parser(name, help=about), f"livemind_app.{module}", wanted=wanted)
    return parser


def _add_lazily(parser: argparse.ArgumentParser, module: str, *, wanted: bool) -> None:
    """Let `module` add its arguments and run, but only import it when the command line names it."""
    if wanted:
        command = import_module(module)
        command.add_arguments(parser)
        parser.set_defaults(run=command.run)


def _add_serve(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--preset",
        metavar="base|small|tiny",
        help="models by size (default: base, stepping down where memory or disk is short)",
    )
    add(
        "--llm",
        metavar="MODEL",
        help="catalogue name, folder, hub id or server (http://host:port/v1#model); replaces the preset's",
    )
    add("--slm", metavar="MODEL", help="the same for the small model")
    add(
        "--offer",
        metavar="PRESET|LLM+SLM[,…]|none",
        help="models that users may choose instead, loaded when they do (default: smaller presets)",
    )
    add("--dtype", metavar="auto|bfloat16|float32", help="what to compute in (default: auto)")
    add(
        "--weights",
        metavar="auto|float32|bfloat16|int8|int4|gguf",
        help="how weights lie in memory for decoding on a CPU; gguf: the published file's own blocks",
    )
    add(
        "--prefill",
        metavar="auto|plain|packed",
        help="what reads prompts beside packed weights. auto: 8 bits, or a plain copy where that is faster; "
        "plain: always a plain copy; packed: no copy, which saves memory, and is slower for 4 bits",
    )
    add(
        "--mode",
        metavar="draft|infer|exact|off",
        help="what happens while users type, unless they choose (default: draft, where the models can)",
    )
    add(
        "--drafts",
        metavar="own|shared",
        help="what lookahead drafts from: a session's own text, or what was answered to anybody too",
    )
    add("--draft-text", metavar="FILE", help="public text that lookahead drafts from as well")
    add(
        "--adapter",
        metavar="FOLDER",
        help="of `livemind train llm-to-slm`, for the lane llm-to-slm (default: the package's own)",
    )
    add(
        "--sentence-vae",
        metavar="FOLDER",
        help="with codec/, sllm/ and hybrid/ of `livemind train` (default: the package's own)",
    )
    _add_remote(parser)
    add("--host", help="address to bind (default: 127.0.0.1; 0.0.0.0 in a Space)")
    add("--port", help="port to bind (default: 7860; 0: any free one)")
    add("--log", metavar="text|json", help="json: a line for every request, for programs (default: text)")
    add(
        "--history",
        metavar="FILE|URL|off",
        help="where figures of answers are kept (default: a file of yours)",
    )
    add("--history-texts", metavar="on|off", help="keep questions and answers as well (default: off)")
    add("--rate", metavar="N", help="requests a second that one address may send (default: 100; 0: any)")
    add("--allow-origin", metavar="SITES", help="other sites whose pages may use the API, by commas")
    add("--login", metavar="huggingface", help="users sign in with Hugging Face; in a Space with hf_oauth")
    add(
        "--speculate-per-client",
        metavar="N",
        help="tokens a minute of notes and answers begun ahead for one client (default: 6000; 0: any)",
    )
    add(
        "--tokens-per-client",
        metavar="N",
        help="tokens a minute in the answers to one client (default: 60000; 0: any)",
    )
    parser.epilog = "Every option can be set as a variable too: LIVEMIND_PRESET, LIVEMIND_PORT, …"
    parser.set_defaults(run=_serve)


def _add_remote(parser: argparse.ArgumentParser) -> None:
    """How long servers of --llm and --slm are waited for; see docs/servers.md."""
    add = parser.add_argument
    add("--remote-connect-s", metavar="S", help="seconds to reach a server of --llm or --slm (default: 3)")
    add("--remote-alive-s", metavar="S", help="to show that it lives while it writes nothing (default: 1.2)")
    add("--remote-first-token-s", metavar="S", help="to its first token (default: 120)")
    add("--remote-between-tokens-s", metavar="S", help="to each further one (default: 30)")
    about = "requests at once that nobody waits for; keep it below the server's slots (default: 3)"
    add("--remote-speculations", metavar="N", help=about)


def _add_cluster(parser: argparse.ArgumentParser) -> None:
    _add_serve(parser)
    add = parser.add_argument
    help = "processes of the app; of a range as many as the open pages need (default: 2)"
    add("--replicas", metavar="N|N-M", help=help)
    add("--ray", metavar="ADDRESS", help="a Ray cluster, or auto (default: one of this machine alone)")
    parser.set_defaults(run=_cluster)


def _cluster(args: argparse.Namespace) -> None:
    settings = _settings(args, *SETTINGS, "replicas", "ray")
    print("LiveMind is starting …", flush=True)
    from livemind_app.serve import serve_cluster

    serve_cluster(settings)


def _settings(args: argparse.Namespace, *names: str) -> Settings:
    return Settings.from_env(os.environ, {name: getattr(args, name) for name in names})


def _serve(args: argparse.Namespace) -> None:
    settings = _settings(args, *SETTINGS)
    print("LiveMind is starting …", flush=True)
    gc.disable()  # until `serve` has made what lives as long as the process: a fifth of the time to the page
    from livemind_app.serve import serve

    serve(settings)

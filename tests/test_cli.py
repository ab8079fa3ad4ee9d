"""The command line: what it imports, what it prints, what it exits with; and the settings behind it."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from livemind_app import __version__, cli
from livemind_app.config import Settings, variables
from livemind_app.engine.remote.limits import USUAL, RemoteLimits
from livemind_app.errors import ConfigError

HEAVY = {"torch", "transformers", "gradio", "fastapi", "uvicorn", "nltk", "numpy", "huggingface_hub"}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "livemind_app", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["serve", "--help"], ["models", "--help"], ["bench", "--help"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from livemind_app.cli import main\n"
        f"try: main({arguments})\n"
        f"finally: print('imported', sorted({HEAVY} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "imported []"


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["--help"])
    text = capsys.readouterr().out
    assert all(command in text for command in ("serve", "cluster", "models", "bench"))


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (["serve"], ["--preset", "--llm", "--slm", "--dtype", "--host", "--port"]),
        (["cluster"], ["--llm", "--port", "--replicas", "--ray"]),
        (["models"], ["list", "fetch"]),
        (["bench"], ["segmentation"]),
        (["bench", "segmentation"], ["--data", "--json"]),
        (["bench", "typing"], ["--data", "--lanes", "--typist", "--json", "--resume", "--report"]),
        (["bench", "sweep"], ["--data", "--formats", "--note-tokens", "--json"]),
    ],
)
def test_help_of_a_command(
    arguments: list[str], options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main([*arguments, "--help"])
    text = capsys.readouterr().out
    assert [option for option in options if option not in text] == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"livemind {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["serve", "--speed", "9"], ["serve", "--por", "1"], ["bench"]]
)
def test_what_is_no_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        cli.main(arguments)
    assert "usage: livemind" in capsys.readouterr().err


def test_an_error_of_ours_is_one_line_and_status_2() -> None:
    done = run("serve", "--port", "many")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "livemind: --port is 'many', but must be a whole number from 0 to 65535\n"


def test_ctrl_c_is_status_130_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.Settings, "from_env", interrupted)
    assert cli.main(["serve"]) == 130
    assert capsys.readouterr().err == ""


def test_defaults() -> None:
    settings = Settings.from_env({})
    assert settings == Settings()
    assert (settings.preset, settings.dtype, settings.host, settings.port) == (
        None,
        "auto",
        "127.0.0.1",
        7860,
    )
    assert settings.limits == {}


def test_the_command_line_wins_over_variables_and_ours_over_those_of_gradio() -> None:
    environ = {
        "LIVEMIND_PORT": "1",
        "GRADIO_SERVER_PORT": "2",
        "GRADIO_SERVER_NAME": "::1",
        "LIVEMIND_PRESET": "tiny",
        "LIVEMIND_MAX_SESSIONS": "7",
        "LIVEMIND_IDLE_S": "1.5",
        "LIVEMIND_LLM": "",
    }
    settings = Settings.from_env(environ, {"preset": "small", "slm": None})
    assert (settings.preset, settings.port, settings.host, settings.llm) == ("small", 1, "::1", None)
    assert settings.limits == {"max_sessions": 7, "idle_s": 1.5}


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({"SPACE_ID": "someone/livemind"}, "0.0.0.0"),
        ({"SPACE_ID": "someone/livemind", "GRADIO_SERVER_NAME": "10.0.0.1"}, "10.0.0.1"),
        ({"LIVEMIND_HOST": "10.0.0.2"}, "10.0.0.2"),
    ],
)
def test_a_space_is_reached_from_outside(environ: dict[str, str], host: str) -> None:
    assert Settings.from_env(environ).host == host


@pytest.mark.parametrize(
    ("environ", "proxies"),
    [
        ({}, None),
        ({"SPACE_ID": "someone/livemind"}, 1),
        ({"SPACE_ID": "someone/livemind", "LIVEMIND_PROXIES": "2"}, 2),
        ({"LIVEMIND_PROXIES": "0"}, ()),
        ({"LIVEMIND_PROXIES": "10.0.0.0/8, ::1"}, ("10.0.0.0/8", "::1/128")),
        ({"FORWARDED_ALLOW_IPS": "*"}, 1),
    ],
)
def test_proxies_are_a_number_or_networks(environ: dict[str, str], proxies: int | tuple[str, ...]) -> None:
    assert Settings.from_env(environ).proxies == proxies


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("LIVEMIND_PRESET", "huge", "base, small, tiny"),
        ("LIVEMIND_DTYPE", "float16", "auto, bfloat16, float32"),
        ("LIVEMIND_PORT", "65536", "from 0 to 65535"),
        ("LIVEMIND_PORT", "-1", "from 0 to 65535"),
        ("LIVEMIND_PORT", "80.5", "from 0 to 65535"),
        ("GRADIO_SERVER_PORT", "x", "from 0 to 65535"),
        ("LIVEMIND_HOST", "a\nb", "printable"),
        ("LIVEMIND_LLM", "  ", "printable"),
        ("LIVEMIND_MAX_SESSIONS", "0", "from 1 to"),
        ("LIVEMIND_MAX_TEXT", "1e3", "from 1 to"),
        ("LIVEMIND_MAX_TURNS", "none", "from 1 to"),
        ("LIVEMIND_IDLE_S", "nan", "above 0"),
        ("LIVEMIND_IDLE_S", "-1", "above 0"),
        ("LIVEMIND_REMOTE_FIRST_TOKEN_S", "0", "above 0"),
        ("LIVEMIND_REMOTE_SPECULATIONS", "0", "from 1 to"),
        ("LIVEMIND_PROXIES", "nginx", "addresses and networks"),
        ("LIVEMIND_PROXIES", "21", "from 0 to 20"),
    ],
)
def test_a_bad_variable_is_named_with_its_value_and_what_is_allowed(
    variable: str, value: str, allowed: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        Settings.from_env({variable: value})
    assert str(refused.value).startswith(f"{variable} is ")
    assert repr(value.strip()) in str(refused.value)
    assert allowed in str(refused.value)


def test_what_remote_servers_are_given_goes_from_the_command_line_to_the_engine() -> None:
    options = {f"remote_{limit.name}": str(2 + index) for index, limit in enumerate(fields(RemoteLimits))}
    assert set(options) < set(cli.SETTINGS)
    settings = Settings.from_env({"LIVEMIND_REMOTE_CONNECT_S": "9"}, options)
    assert RemoteLimits(**settings.remote_limits) == RemoteLimits(2.0, 3.0, 4.0, 5.0, 6)
    assert RemoteLimits(**Settings().remote_limits) == USUAL


def test_settings_made_in_code_are_checked_too() -> None:
    with pytest.raises(ConfigError, match="preset is 'huge'"):
        Settings(preset="huge")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="port is"):
        Settings(port=80.5)  # type: ignore[arg-type]


DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.name)
@pytest.mark.parametrize("command", ["serve", "cluster"])
def test_documents_name_options_that_there_are(
    path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main([command, "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = re.findall(rf"livemind {command}\b([^`\n]*)", text)
    named = {option for line in lines for option in re.findall(r"(?<!\S)--[a-z-]+", line)}
    assert named <= known


def test_variables_of_the_operators_documents_are_those_that_are_read() -> None:
    # Where models are kept, and how long load tests run, is not the settings' affair.
    apart = {"LIVEMIND_CACHE", "LIVEMIND_MODELS", "LIVEMIND_LOAD_SECONDS"}
    known = apart | {variable for each in fields(Settings) for variable in variables(each.name)}
    text = (DOCS / "operating.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bLIVEMIND_[A-Z_]+\b", text)) <= known

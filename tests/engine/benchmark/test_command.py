"""`livemind bench engine` from end to end, on a model of two layers."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from livemind_app import cli
from livemind_app.benchmark.engine import footprint
from livemind_app.benchmark.engine.footprint import Footprint
from livemind_app.engine.models.catalogue import Entry

SERVER = """#!{python}
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({{"status": "ok"}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert body["ignore_eos"] and not body["cache_prompt"] and body["prompt"]
        count = body["n_predict"]
        timings = {{"prompt_ms": 500, "predicted_ms": 100 * (count - 1), "predicted_n": count}}
        self.answer({{"timings": timings}})

    def answer(self, body):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass

assert sys.argv[sys.argv.index("-m") + 1].endswith("toy.gguf")
HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
"""


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is read in processes that know nothing of the toy."""
    monkeypatch.setattr(footprint, "_apart", lambda *_: Footprint(0.5, 2**30, None))


def bench(out: Path, *arguments: str) -> dict[str, Any]:
    fast = ["--rounds", "2", "--tokens", "3", "--json", str(out)]
    assert cli.main(["bench", "engine", "--model", "toy", *fast, *arguments]) == 0
    result: dict[str, Any] = json.loads(out.read_text())
    return result


def test_every_figure_of_every_format(toy: Entry, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "text.txt.gz"
    data.write_bytes(gzip.compress(b"The cat sat on the mat and thought. " * 40))
    result = bench(tmp_path / "out", "--weights", "int8,int4,gguf", "--data", str(data), "--windows", "3")
    rows = result["summary"]["formats"]
    assert list(rows) == ["generate", "int8", "int4", "gguf"]
    for name, row in rows.items():
        assert row["decode_tokens_per_s"] > 0
        assert row["prefill_tokens_per_s"] > 0
        assert row["ttft_300"] > 0
        assert 1 < row["ppl"] < 1e6
        assert 0 <= row["agreement"] <= 1
        assert row["bytes"] > 10_000
        assert row["load_s"] == 0.5
        assert row["peak_memory"] is None
        assert list(row["step_ms_by_tokens"]) == []  # 300 tokens are beyond this model's context
        assert list(row["step_ms_by_context"]) == ["50"]
        assert row["ppl_tokens"] == 3 * 127
        assert (row["kl"] == 0) == (name == "generate")
    assert rows["generate"]["decode_speedup"] == rows["generate"]["prefill_speedup"] == 1
    assert rows["generate"]["agreement"] == rows["generate"]["ppl_ratio"] == 1
    assert rows["int8"]["ppl_ratio"] == pytest.approx(1, abs=0.02)
    assert rows["generate"]["ppl_ratio_error"] == 0 < rows["int8"]["ppl_ratio_error"] < 0.02
    assert result["meta"]["data"]["file"] == "text.txt.gz"
    assert len(result["meta"]["data"]["sha256"]) == 64
    assert result["meta"]["versions"]["torch"]
    assert len(result["samples"]["int4"]["answers"]) == 2
    said = capsys.readouterr().out
    assert "| gguf " in said
    assert "not measured" not in said


def test_without_a_text_there_is_no_perplexity(
    toy: Entry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = bench(tmp_path / "out", "--weights", "float32")["summary"]["formats"]
    assert all("ppl" not in row for row in rows.values())
    assert rows["float32"]["decode_speedup"] > 0
    assert "Perplexity was not measured" in capsys.readouterr().out


def test_without_rounds_only_quality_is_measured(toy: Entry, tmp_path: Path) -> None:
    data = tmp_path / "text.txt"
    data.write_text("The cat sat on the mat. " * 40)
    result = bench(tmp_path / "out", "--rounds", "0", "--no-memory", "--data", str(data))
    for row in result["summary"]["formats"].values():
        assert "ppl" in row
        assert "decode_speedup" not in row
        assert "load_s" not in row


def test_auto_is_named_as_what_it_is(toy: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livemind_app.engine.packed.weights.best", lambda *_: "int4")
    assert "int4" in bench(tmp_path / "out", "--rounds", "1")["summary"]["formats"]


def test_llama_server_as_a_yardstick(toy: Entry, tmp_path: Path) -> None:
    program = tmp_path / "llama-server"
    program.write_text(SERVER.format(python=sys.executable))
    program.chmod(0o755)
    result = bench(tmp_path / "out", "--weights", "int8", "--llama-server", str(program))
    rows, answers = result["summary"]["formats"], result["samples"]["int8"]["answers"]
    assert rows["llama-server"]["decode_tokens_per_s"] == pytest.approx(10)
    assert rows["llama-server"]["ttft_300"] == pytest.approx(0.5)
    assert rows["llama-server"]["decode_against_llama"] == 1
    assert "bytes" not in rows["llama-server"]
    ours = rows["int8"]
    assert ours["ttft_against_llama"] == pytest.approx(ours["ttft_300"] / 0.5)
    speeds = [answer["steps"] / answer["decode_s"] for answer in answers]
    assert ours["decode_against_llama"] == pytest.approx(median(speeds) / 10)


def test_a_report_has_tables_and_pictures_of_the_curves(toy: Entry, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    bench(tmp_path / "out", "--weights", "int8,int4", "--no-memory", "--report", str(folder))
    said = (folder / "report.md").read_text()
    assert "| int4 " in said
    for name in ("steps_by_tokens.svg", "steps_by_context.svg"):
        assert f"]({name})" in said
        drawn = (folder / name).read_text()
        assert all(f">{each}</text>" in drawn for each in ("generate", "int8", "int4"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--weights", "int3"], "int3"),
        (["--weights", ","], "--weights names no format"),
        (["--rounds", "-1"], "--rounds is -1, but must be 0 or more"),
        (["--tokens", "1"], "--tokens is 1, but must be 2 or more"),
        (["--data", "nowhere.txt"], "--data: nowhere.txt is no readable text"),
        (["--llama-server", "/nowhere/llama-server"], "does not start"),
        (["--json", "/nowhere/out.json"], "--json: cannot write"),
        (["--no-memory", "--report", "/dev/null"], "--report: cannot write"),
    ],
)
def test_mistakes_are_named(
    arguments: list[str], message: str, toy: Entry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["bench", "engine", "--model", "toy", "--rounds", "1", "--tokens", "2", "--weights", "int8"]
    assert cli.main([*base, "--json", str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_text_shorter_than_a_window_is_refused(
    toy: Entry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "text.txt"
    data.write_text("Short.")
    arguments = ["bench", "engine", "--model", "toy", "--data", str(data), "--json", str(tmp_path / "out")]
    assert cli.main(arguments) == 2
    assert "a window takes" in capsys.readouterr().err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from livemind_app.cli import main\n"
        "try: main(['bench', 'engine', '--help'])\n"
        "finally: print('imported', sorted({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--llama-server" in done.stdout
    assert done.stdout.splitlines()[-1] == "imported []"

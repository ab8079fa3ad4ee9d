"""Imports run one way, and the files that say what is installed agree."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import livemind_app

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "livemind_app"

BASE = {"errors", "config", "protocol", "__init__"}
TOP = {"serve", "cli", "__main__"}
# What each part may import besides itself. A part not named here may not exist.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "protocol": {"errors"},
    "values": set(),
    "config": {"errors", "values"},
    "journal": {"errors"},
    "text": BASE,
    "decoding": BASE | {"text"},
    "engine": BASE | {"text", "decoding"},
    "training": BASE | {"engine", "journal"},
    "sentence_vae": BASE | {"text", "decoding", "engine", "training"},
    "llm_to_slm": BASE | {"journal", "text", "decoding", "engine", "training"},
    "session": BASE | {"text"},
    "serving": BASE | {"text", "session"},
    "ui": BASE | {"text", "session"},
    "benchmark": BASE
    | {"text", "decoding", "engine", "llm_to_slm", "sentence_vae", "training"}
    | {"journal", "loading", "session", "serving"},
    "loading": BASE | {"engine", "llm_to_slm", "sentence_vae"},
    "serve": BASE | {"engine", "sentence_vae", "loading", "session", "serving", "benchmark", "ui"},
    "cli": BASE | {"engine", "llm_to_slm", "sentence_vae", "benchmark", "serve"},
    "__main__": {"cli"},
    # The names of the library, each imported when it is first used.
    "__init__": {"protocol", "engine", "loading", "session"},
}
MODELS = {"torch", "transformers", "accelerate", "gguf", "safetensors"}
WEB = {"fastapi", "starlette", "sse_starlette", "uvicorn", "gradio"}
MAY_NOT_IMPORT: dict[str, set[str]] = {
    "errors": MODELS | WEB,
    "values": MODELS | WEB,
    "config": MODELS | WEB,
    "protocol": MODELS | WEB,
    "journal": MODELS | WEB,
    "text": MODELS | WEB,
    "decoding": WEB,
    "engine": WEB,
    "training": WEB,
    "sentence_vae": WEB,
    "llm_to_slm": WEB,
    "loading": WEB,
    "session": MODELS | WEB,
    "serving": MODELS | {"gradio"},
    "ui": MODELS,
    "benchmark": {"gradio"},
    "cli": MODELS | WEB,
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part(path: Path) -> str:
    """The first name below the package: `session/apply.py` is of `session`."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> Iterator[str]:
    """Full names of what a module imports, wherever in it; strings given to `import_module` too."""
    package = ["livemind_app", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = ".".join(
                    [*package[: len(package) - level + 1], module or ""] if level else [module or ""]
                )
                yield from (f"{base.rstrip('.')}.{alias.name}" for alias in names)
            case ast.Constant(value=str() as name) if re.fullmatch(r"livemind_app(\.\w+)+", name):
                yield name


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    own = part(path)
    assert own in MAY_IMPORT, f"say in MAY_IMPORT what {own} may import"
    for name in imported(path):
        top, _, rest = name.partition(".")
        if top == "livemind_app":
            other = rest.split(".")[0]
            other = other if (PACKAGE / other).is_dir() or (PACKAGE / f"{other}.py").is_file() else "__init__"
            assert other == own or other in MAY_IMPORT[own], f"{own} imports {name}"
        assert top not in MAY_NOT_IMPORT.get(own, set()), f"{own} imports {name}"


def test_no_part_may_import_one_that_may_import_it() -> None:
    reachable = {
        name: set(others) - {"__init__"} for name, others in MAY_IMPORT.items() if name != "__init__"
    }
    for _ in reachable:
        for name, others in reachable.items():
            reachable[name] = others | {far for near in others for far in reachable[near]}
    assert [name for name, others in reachable.items() if name in others] == []


def test_imports_are_found_in_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_architecture.PACKAGE", tmp_path)
    (tmp_path / "text").mkdir()
    path = tmp_path / "text" / "x.py"
    path.write_text(
        "import torch.nn as n\nfrom . import y\nfrom ..session import z\n"
        "def f():\n    from livemind_app import ui\n    load('livemind_app.engine.local')\n"
    )
    assert set(imported(path)) == {
        "torch.nn",
        "livemind_app.text.y",
        "livemind_app.session.z",
        "livemind_app.ui",
        "livemind_app.engine.local",
    }


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(
        line.lower().replace("_", "-").split("==") for line in lines if line and not line.startswith("#")
    )


def unmet(dependencies: list[str], pinned: dict[str, str]) -> list[str]:
    """Dependencies that have no pin, or one outside of their range."""
    wanted = [Requirement(dependency) for dependency in dependencies]
    return [
        str(r) for r in wanted if not r.specifier.contains(pinned.get(r.name.lower().replace("_", "-"), "0"))
    ]


def test_every_dependency_is_pinned_within_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert unmet(project["dependencies"], pins("requirements.txt")) == []
    assert unmet(project["dependencies"] + extras["dev"] + extras["cluster"], pins("constraints.txt")) == []


def test_a_space_gets_the_versions_that_are_tested() -> None:
    assert pins("requirements.txt").items() <= pins("constraints.txt").items()
    assert not [version for version in pins("constraints.txt").values() if "+" in version]


def test_a_space_can_be_installed() -> None:
    """Beside the pins it asks for gradio[oauth,mcp], whose extras have ranges of their own."""
    pinned = pins("requirements.txt")
    asked = [
        requirement
        for requirement in map(Requirement, requires("gradio") or [])
        if not requirement.marker
        or any(requirement.marker.evaluate({"extra": extra}) for extra in ("", "oauth", "mcp"))
    ]
    assert "pydantic" in {requirement.name for requirement in asked}
    there = [str(requirement) for requirement in asked if requirement.name in pinned]
    assert unmet(there, pinned) == []


def test_every_package_and_the_files_of_the_page_go_into_the_wheel() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {path.parent.relative_to(ROOT) for path in PACKAGE.rglob("__init__.py")}
    packages = {".".join(folder.parts) for folder in folders}
    assert set(setuptools["packages"]) == packages | {"livemind_app.static"}
    assert setuptools["package-dir"]["livemind_app.static"] == "static"


def test_the_version_is_in_one_place() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{livemind_app.__version__}]" in changelog or "## [Unreleased]" in changelog

"""What an installed Bellwire brings along, by the wheel's settings: no wheel is built here."""

import fnmatch
import re
import tomllib
from pathlib import Path
from typing import Any, Final

from app.api import demo_page

ROOT: Final = Path(__file__).parent.parent.parent
_CLIENT: Final = ROOT / "clients" / "javascript"
_IMPORT: Final = re.compile(r"""(?:from|import)\s+['"](?:\./|/demo/)([\w.-]+)['"]""")


def _wheel() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["tool"]["hatch"]["build"]["targets"]["wheel"]


def _packed() -> dict[Path, Path]:
    """The client's files, and where the wheel puts each."""
    wheel = _wheel()
    kept: dict[Path, Path] = {}
    for path in _CLIENT.rglob("*"):
        name = path.relative_to(ROOT).as_posix()
        included = any(name.startswith(f"{top}/") for top in wheel["only-include"])
        excluded = any(fnmatch.fnmatch(name, f"{pattern}*") for pattern in wheel["exclude"])
        if path.is_file() and included and not excluded:
            [(old, new)] = [(old, new) for old, new in wheel["sources"].items() if name.startswith(f"{old}/")]
            kept[path] = ROOT / name.replace(old, new, 1)
    return kept


def test_the_wheel_has_the_client_where_the_demo_looks_for_it() -> None:
    packed = {path.name: place for path, place in _packed().items()}
    wanted = {"bellwire-bell.js", "bellwire.js"}
    while wanted:
        name = wanted.pop()
        assert packed[name].parent in demo_page.DIRECTORIES, name
        wanted |= set(_IMPORT.findall((_CLIENT / name).read_text()))


def test_the_wheel_has_no_tests_of_the_client() -> None:
    assert not [path for path in _packed() if "tests" in path.parts]


def test_the_container_image_is_built_from_all_that_the_wheel_needs() -> None:
    recipe = (ROOT / "deploy" / "Dockerfile").read_text()
    for top in _wheel()["only-include"]:
        assert f"COPY {top} {top}\n" in recipe, top

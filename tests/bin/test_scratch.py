import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import stack
from stack.scratch import Scratch

BIN = Path(stack.__file__).parents[1]


@pytest.fixture(autouse=True)
def _own_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_scratch_is_gone_when_it_is_closed() -> None:
    with Scratch("x") as scratch:
        (scratch.path / "file").write_text("something")
    assert not scratch.path.exists()


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_is_used_stays(tmp_path: Path) -> None:
    program = "from stack.scratch import Scratch; mine = Scratch('x'); print(mine.path, flush=True); input()"
    owner = subprocess.Popen(  # noqa: S603 - the program above
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(BIN), "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout
        left = Path(owner.stdout.readline().strip())
        with Scratch("x"):
            assert left.exists()
        owner.kill()
    assert left.exists()
    with Scratch("x"):
        assert not left.exists()

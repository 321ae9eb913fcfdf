"""Which files are the app's own."""

from pathlib import Path

import pytest

from specwright.verify.stage.source import Sources


def test_a_c_extension_is_not_the_apps_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its frames name files as its author did, `asyncpg/protocol/prepared_stmt.pyx`; they are not here."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "api.py").touch()
    sources = Sources(str(tmp_path))
    assert sources.relative("asyncpg/protocol/prepared_stmt.pyx") is None
    assert sources.relative("api.py") == sources.relative(str(tmp_path / "api.py")) == "api.py"
    assert sources.relative("<string>") is None

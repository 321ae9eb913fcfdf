"""`specwright verify MODULE:APP` as a person runs it, on an app with ten holes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

APP = Path(__file__).parents[1] / "broken" / "ten_holes"


def verify(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, on the app, from the app's folder."""
    command = [sys.executable, "-m", "specwright", "verify", "app:app", "--people", str(APP / "people.toml")]
    return subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One run of two checks: what stood on the terminal, and the page."""
    page = tmp_path_factory.mktemp("page") / "report.html"
    ended = verify(APP, "--only", "AZ01", "--only", "object write", "--format", "html", "--output", str(page))
    assert ended.returncode == 1, ended.stderr
    return {"text": ended.stdout, "page": page.read_text(encoding="utf-8")}


def test_a_finding_says_what_where_and_what_to_do(told: dict[str, str]) -> None:
    """Who, the operation, the line, the requests, the way to see it again, the remedy, the coverage."""
    (line,) = [line for line in told["text"].splitlines() if "✗ AZ01" in line]
    assert "bob can read ada's row of invoices" in line and "GET /invoices/{id}" in line and "app.py:" in line
    assert f"replay: specwright verify app:app --people {APP / 'people.toml'} --replay AZ01-" in told["text"]
    assert "mend: " in told["text"]
    assert "2xx to one of ada, bob" in told["text"]
    assert "AZ03" not in told["text"], "only what was asked for is run"


def test_the_page_has_it_too(told: dict[str, str]) -> None:
    """One file; the credential is not in it."""
    assert "bob can read ada&#x27;s row of invoices" in told["page"]
    assert "<script" not in told["page"] and "Bearer " not in told["page"]


def test_a_finding_is_replayed_by_its_id(told: dict[str, str]) -> None:
    """Every request and answer of it, and the same exit code; an id that nothing has is told."""
    id = told["text"].split("--replay ", 1)[1].split()[0]
    again = verify(APP, "--replay", id)
    assert again.returncode == 1
    assert "> As: bob" in again.stdout and "< 200 {" in again.stdout
    other = verify(APP, "--replay", "AZ01-0000")
    assert other.returncode == 2 and "is called AZ01-0000" in other.stderr
    nothing = verify(APP, "--replay", "nonsense")
    assert nothing.returncode == 2 and "they are called like AZ02-7f3a" in nothing.stderr


@pytest.fixture(scope="module")
def findings() -> set[str]:
    """The ids of what one check finds, as JSON tells."""
    found = json.loads(verify(APP, "--only", "AZ02", "--format", "json").stdout)["findings"]
    assert len(found) == 2
    return {each["id"] for each in found}


def test_seeds_agree(findings: set[str]) -> None:
    """The same is found, whatever values were sent to find it."""
    for seed in ("1", "2"):
        ended = verify(APP, "--only", "AZ02", "--seed", seed, "--format", "sarif")
        results = json.loads(ended.stdout)["runs"][0]["results"]
        assert {each["partialFingerprints"]["specwright/v1"] for each in results} == findings


def test_a_baseline_opens_the_gate_for_a_while(findings: set[str], tmp_path: Path) -> None:
    """Accepted findings are told and do not count; one that is not accepted does."""
    baseline = tmp_path / "baseline.toml"

    def accept(*ids: str) -> None:
        entry = '[[accepted]]\nfinding = "{}"\nreason = "later"\nuntil = 2999-01-01\n'
        baseline.write_text("".join(entry.format(id) for id in ids), encoding="utf-8")

    accept(*findings)
    assert verify(APP, "--only", "AZ02", "--baseline", str(baseline)).returncode == 0
    accept(min(findings))
    ended = verify(APP, "--only", "AZ02", "--baseline", str(baseline))
    assert ended.returncode == 1 and "1 accepted" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "AZ99"), "No check or requirement is called AZ99. Did you mean AZ0"),
        (("--only", "XX99"), "No check or requirement is called XX99. `specwright checks`"),
        (("--skip", "AZ99"), "No check is called AZ99"),
        (("--baseline", "none.toml"), "none.toml cannot be read"),
    ],
)
def test_a_wrong_call_is_one_sentence(arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, nothing is run."""
    ended = verify(APP, *arguments)
    assert ended.returncode == 2 and said in ended.stderr and "Traceback" not in ended.stderr


_LIMITED = """
from fastapi import FastAPI, Response
app = FastAPI()
asked = []
@app.middleware("http")
async def limit(request, proceed):
    asked.append(request)
    return await proceed(request) if len(asked) < 2 else Response(status_code=429)
@app.get("/fine")
def fine(): return {"a": 1}
"""


def test_an_app_that_limits_us_is_not_sound(tmp_path: Path) -> None:
    """One sentence says why the run is no proof, and the exit code is that of nothing proved."""
    (tmp_path / "shop.py").write_text(_LIMITED, encoding="utf-8")
    command = [sys.executable, "-m", "specwright", "verify", "shop:app", "--only", "ER02", "--only", "CF01"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 2, ended.stdout
    assert "The app limits how often we may ask (429)" in ended.stderr


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("shop.main", 0, "answered with a 2xx; never: "),
        ("plain", 0, "answered with a 2xx"),
        ("shop.mane", 2, "shop.mane is no folder"),
        ("ftp://localhost/shop", 2, "ftp://localhost/shop is no address of an app"),
    ],
)
def test_what_is_verified_is_named_in_few_words(tmp_path: Path, target: str, code: int, said: str) -> None:
    """`:app` may be left out, also below `src`; what is no target is said."""
    source = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/fine')\ndef fine(): return 1\n"
    (tmp_path / "shop").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "shop" / "main.py").write_text(source, encoding="utf-8")
    (tmp_path / "src" / "plain.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "specwright", "verify", target, "--only", "CF01"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert said in ended.stdout + ended.stderr


def test_nothing_is_written_beside_the_app() -> None:
    """Whatever ran before: the folder holds what it held."""
    assert sorted(file.name for file in APP.iterdir()) == ["app.py", "people.toml"]


@pytest.mark.parametrize("output", ["nowhere/report.json", "."])
def test_what_cannot_be_written_is_said_before_anything_runs(tmp_path: Path, output: str) -> None:
    """One sentence; the app, which is not there, is not looked for."""
    ended = verify(tmp_path, "--format", "json", "--output", output)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1
    assert f"{Path(output)} cannot be written: " in ended.stderr


@pytest.mark.parametrize("format", ["text", "json"])
def test_a_report_is_written_also_when_nobody_reads_the_terminal(tmp_path: Path, format: str) -> None:
    """`specwright verify … --output report | head -0`."""
    output = tmp_path / "report"
    command = [
        *(sys.executable, "-m", "specwright", "verify", "app:app", "--people", str(APP / "people.toml")),
        *("--only", "AZ01", "--format", format, "--output", str(output)),
    ]
    with subprocess.Popen(command, cwd=APP, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.close()
        said = running.stderr.read().decode()
        assert running.wait(300) == 1, said
    assert "AZ01" in output.read_text(encoding="utf-8") and "Traceback" not in said


_STRICT = """
from fastapi import FastAPI
from pydantic import BaseModel, Field

class Entry(BaseModel):
    name: str
    password: str = Field(pattern="^[0-9]+$")

app = FastAPI()

@app.post("/login")
def login(entry: Entry) -> dict[str, str]:
    return {"token": entry.name}
"""


def test_what_ends_a_run_holds_no_password(tmp_path: Path) -> None:
    """FastAPI's answer to a login that it refuses repeats what was sent."""
    (tmp_path / "app.py").write_text(_STRICT)
    (tmp_path / "people.toml").write_text(
        '[login]\nrequest = "POST /login"\njson = {name = "{name}", password = "{password}"}\n'
        '[people.ada]\npassword = "open-sesame-4711"\nusername = "ada"\n'
    )
    command = [sys.executable, "-m", "specwright", "verify", "app:app", "--people", "people.toml"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 2 and "ada of people.toml cannot sign in" in ended.stderr
    assert "open-sesame" not in ended.stderr and "‹password of ada›" in ended.stderr

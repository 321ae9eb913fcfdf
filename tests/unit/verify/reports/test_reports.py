"""One run, told in every format."""

import html
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import pytest

from specwright.model.errors import Origin
from specwright.model.requirement import Requirement
from specwright.verify.baseline import Accepted
from specwright.verify.check import Check
from specwright.verify.lab import Lab
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.reports import text
from specwright.verify.reports.document import document
from specwright.verify.reports.endpoints import endpoints
from specwright.verify.reports.junit import junit
from specwright.verify.reports.markdown import markdown
from specwright.verify.reports.page import page
from specwright.verify.reports.report import Exit, Report
from specwright.verify.reports.sarif import sarif
from specwright.verify.requirements.evidence import Evidence
from specwright.verify.result import Probe, Result, Standing
from specwright.verify.surface.surface import Operation


async def nothing(lab: Lab) -> AsyncIterator[Result]:
    """A check that looks at nothing."""
    return
    yield


CHECK = Check(
    "AZ02",
    "object write",
    "Nobody writes.",
    3,
    ("OWASP API1:2023",),
    "Put the caller into the WHERE.",
    nothing,
)
BOB = Person("bob", headers={"authorization": "Bearer secret-token"})
DELETE = Operation("DELETE", "/orders/{id}", source=Origin("app/orders.py", 88))
TRIED = Probe(BOB, "DELETE", "/orders/1", status=204)
GONE = Probe(ANONYMOUS, "GET", "/orders/1", status=404, answer=b'{"detail": "\x00<&"}')


@pytest.fixture
def report() -> Report:
    """A run with one fault that two people can use, something proved, a question, and something not run."""
    return Report(
        "shop.main:app",
        requirements=[
            Evidence(Requirement("tasks/FR-001", "FR-001", "tasks", "It is | so."), Standing.PROVED),
            Evidence(
                Requirement("tasks/FR-002", "FR-002", "tasks", "Pleasant."),
                Standing.NOT_RUN,
                why="no example",
            ),
        ],
        checks=[CHECK],
        results=[
            CHECK.broken(DELETE, "bob can delete ada's order", TRIED, GONE, case="bob"),
            CHECK.broken(DELETE, "carol can delete ada's order", TRIED, case="carol"),
            CHECK.proved("GET /orders/{id}", "nobody else reads", GONE),
            CHECK.ask("GET /stats", "everybody can: is that meant?"),
            CHECK.not_run("PUT /orders/{id}", "no row can be made"),
        ],
        coverage={"DELETE /orders/{id}": ["ada"], "PUT /orders/{id}": []},
        people=["ada", "bob"],
    )


def test_results_of_one_cause_are_one_finding(report: Report) -> None:
    """Two people who can do the same are one fault, named once, and the gate is shut."""
    (found,) = report.findings
    assert [result.case for result in found.results] == ["bob", "carol"]
    assert report.exit is Exit.BROKEN


def test_the_terminal_tells_what_where_how_and_what_to_do(report: Report) -> None:
    """A finding has its place in the code, the requests that show it, a way to see it again, and a remedy."""
    lines = list(text.finding(report.findings[0]))
    assert "bob can delete ada's order" in lines[0] and "app/orders.py:88" in lines[0]
    assert "as bob: DELETE /orders/1 → 204; as nobody: GET /orders/1 → 404" in lines[2]
    assert f"specwright verify --replay {report.findings[0].id}" in lines[3]
    assert "Put the caller into the WHERE." in lines[4]


def test_the_command_that_replays_is_whole(report: Report) -> None:
    """With the target and the people of the run, in every format."""
    command = "specwright verify shop:app --people 'my people.toml'"
    again = replace(report, command=command)
    (found,) = again.findings
    assert found.replay == f"{command} --replay {found.id}"
    assert found.replay in "\n".join(text.finding(found)) and found.replay in markdown(again)
    assert json.loads(document(again))["findings"][0]["replay"] == found.replay
    assert html.escape(found.replay) in page(again)


def test_the_text_is_what_the_terminal_tells(report: Report) -> None:
    """Requirements, each check, the summary."""
    told = text.written(report)
    for line in (*text.finding(report.findings[0]), *text.summary(report)):
        assert line in told
    assert "FR-001" in told and "? AZ02  GET /stats" in told


def test_the_summary_counts_everything(report: Report) -> None:
    """What was not run and what was never used is said, not hidden."""
    lines = "\n".join(text.summary(report))
    assert "1 proved · 0 broken · 1 not run" in lines
    assert "1 proved · 1 broken · 1 to ask · 1 not run" in lines
    assert "1 of 2 operations" in lines and "never: PUT /orders/{id}" in lines


def test_the_id_of_a_finding_is_the_same_in_each_run(report: Report) -> None:
    """It depends on the check, the operation and the case alone."""
    assert report.findings[0].id == CHECK.broken(DELETE, "other words", case="bob").id
    assert report.findings[0].id != CHECK.broken(DELETE, "other words", case="dan").id


def test_what_is_accepted_is_told_and_does_not_count(report: Report) -> None:
    """An accepted finding opens the gate; every format still shows it, with its reason."""
    accepted = Accepted(report.findings[0].id, "until the new orders page", date(2027, 1, 31))
    again = Report(
        report.target,
        checks=report.checks,
        results=report.results,
        accepted={accepted.finding: accepted},
    )
    assert again.exit is Exit.SOUND
    assert "accepted until 2027-01-31: until the new orders page" in "\n".join(
        text.finding(again.findings[0])
    )
    assert "Accepted until 2027-01-31" in markdown(again)
    assert json.loads(sarif(again))["runs"][0]["results"][0]["suppressions"]
    assert "<failure" not in junit(again)


def test_nothing_proved_is_no_pass() -> None:
    """A run in which everything was left out says so to the shell."""
    assert Report("x", checks=[CHECK], results=[CHECK.not_run("the app", "no row")]).exit is Exit.NOTHING
    proved = Report("x", checks=[CHECK], results=[CHECK.proved("the app", "it holds")])
    assert proved.exit is Exit.SOUND
    assert replace(proved, obstacle="The app limits how often we may ask.").exit is Exit.NOTHING


def test_no_format_holds_a_credential(report: Report) -> None:
    """A report can be shown to anybody."""
    for written in (document(report), junit(report), sarif(report), markdown(report), page(report)):
        assert "secret-token" not in written


def test_json_has_everything(report: Report) -> None:
    """The document has each result, and the exchanges of what is broken."""
    found = json.loads(document(report))
    assert found["summary"]["checks"] == {"proved": 1, "broken": 2, "not_run": 1, "ask": 1, "suspected": 0}
    assert found["findings"][0]["results"][0]["exchanges"][0]["answer"]["status"] == 204
    assert found["exit"] == 1


def test_junit_is_xml_whatever_the_app_answers(report: Report) -> None:
    """A NUL byte in an answer has no way into XML; the counts fit the cases."""
    suites = ElementTree.fromstring(junit(report).encode())
    counts = {
        suite.get("name"): (suite.get("tests"), suite.get("failures"), suite.get("skipped"))
        for suite in suites
    }
    assert counts == {"requirements": ("2", "0", "1"), "AZ02 object write": ("5", "2", "2")}


def test_sarif_names_the_line(report: Report) -> None:
    """A code-scanning service shows the finding beside the code."""
    (result,) = json.loads(sarif(report))["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("app/orders.py", 88)
    assert result["level"] == "error"


def test_markdown_keeps_its_tables_whole(report: Report) -> None:
    """A bar in a requirement does not break the table."""
    assert "It is \\| so." in markdown(report)


def test_the_page_needs_nothing_else_and_trusts_no_answer(report: Report) -> None:
    """One file without scripts or addresses; what an app answered is text in it, whatever it looks like."""
    told = page(report)
    assert "<script" not in told and "http://" not in told and "https://" not in told
    assert "&lt;&amp;" in told and "<&" not in told
    assert told.count('<tr><th scope="row"><code>DELETE /orders/{id}</code></th>') == 1


def test_operations_are_compared() -> None:
    """The slowest comes first, with its most talkative answer; a request without an answer says nothing."""
    slow = Operation("GET", "/slow")
    sent = [
        Probe(BOB, "GET", "/a", status=200, seconds=0.1, statements=("x",), operation=DELETE),
        Probe(BOB, "GET", "/b", status=200, seconds=0.3, statements=("x", "y"), operation=slow),
        Probe(BOB, "GET", "/b", status=200, seconds=0.4, statements=("x",), operation=slow),
        Probe(BOB, "GET", "/b", trouble="no answer", seconds=10, operation=slow),
    ]
    first, second = endpoints(sent)
    assert (first.operation, first.requests, first.slowest, first.statements) == ("GET /slow", 2, 0.4, 2)
    assert second.statements == 1

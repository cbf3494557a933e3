"""JUnit XML, read back by a parser: counts, failures, and text that XML cannot hold."""

from __future__ import annotations

from xml.etree import ElementTree

from simgauge.auditing.run import audit
from simgauge.report.junit import junit_xml


def finding(name, verdict, summary="measured"):
    words = {"title": name.title(), "summary": summary, "cause": f"why {name}", "action": f"mend {name}"}
    return {"id": name, "group": "geometry", "verdict": verdict, **words}


FINDINGS = {"findings": [finding("a", "ok"), finding("b", "warn"), finding("c", "fail"), finding("d", "info")]}


def failures(text):
    root = ElementTree.fromstring(text)
    cases = {case.get("name"): case for case in root.iter("testcase")}
    failed = {name: case.find("failure") for name, case in cases.items() if case.find("failure") is not None}
    skipped = {name for name, case in cases.items() if case.find("skipped") is not None}
    for element in (root, root[0]):
        counts = (len(cases), len(failed), len(skipped))
        assert tuple(int(element.get(name)) for name in ("tests", "failures", "skipped")) == counts
    return failed, skipped


def test_the_level_says_what_a_failure_is():
    failed, skipped = failures(junit_xml(FINDINGS))
    assert (set(failed), skipped) == ({"c"}, set())
    assert failed["c"].text == "cause: why c\naction: mend c"
    assert set(failures(junit_xml(FINDINGS, level="warn"))[0]) == {"b", "c"}


def test_a_baseline_adds_failures_and_skips_what_is_undecided():
    outcomes = {"a": "worse", "b": "inconclusive", "c": "inconclusive", "d": "same", "gone": "inconclusive"}
    changes = [{"id": name, "outcome": outcome, "reason": "because"} for name, outcome in outcomes.items()]
    failed, skipped = failures(junit_xml(FINDINGS, baseline={"changes": changes}))
    assert (set(failed), skipped) == ({"a", "c"}, {"b", "gone"})
    assert failed["a"].text.startswith("worse than the baseline: because")


def test_groups_that_differ_have_cases_of_their_own():
    """Control: a group that is the same has none."""
    told = {"id": "a", "title": "Title", "verdicts": ["ok", "warn"], "reason": "because"}
    groups = {"head": "worse", "middle": "inconclusive", "tail": "moved", "label: x": "same"}
    changes = [{**told, "group": group, "outcome": outcome} for group, outcome in groups.items()]
    text = junit_xml(FINDINGS, baseline={"changes": [*changes, {**told, "group": None, "outcome": "same"}]})
    failed, skipped = failures(text)
    assert set(failed) == {"c", "a (head)"}, "the finding itself is as its verdict says"
    assert skipped == {"a (middle)"}
    assert failed["a (head)"].get("message") == "Title (head), worse than the baseline: because"
    assert text.count("<testcase") == 4 + 3


def test_outcomes_beside_a_baseline_are_properties_and_what_moved_fails_nothing():
    changes = [{"id": "a", "outcome": "moved", "reason": "0.9 became 0.5"}]
    beside = {"outcome": "moved", "differences": [], "sizes": ["items (3 then, 4 now)"], "changes": changes}
    text = junit_xml(FINDINGS, baseline=beside)
    plain = junit_xml(FINDINGS)
    assert [set(part) for part in failures(text)] == [set(part) for part in failures(plain)]
    suite = ElementTree.fromstring(text.split("\n", 1)[1]).find("testsuite")
    assert {p.get("name"): p.get("value") for p in suite.findall("properties/property")} == {
        "baseline": "moved",
        "sizes": "items (3 then, 4 now)",
    }
    assert suite.get("tests") == str(len(FINDINGS["findings"])), "properties are no tests"
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert cases["a"].find("properties/property").get("value") == "moved"
    assert "moved since the baseline: 0.9 became 0.5" in cases["a"].find("system-out").text
    assert cases["b"].find("properties") is None, "a finding without an outcome has none"


def test_any_text_gives_a_file_that_parses():
    nasty = "tea\x00\x1b[2J <b>&\"' ]]> \ud800 \uffff ü"
    text = junit_xml({"findings": [finding("a", "fail", nasty)]})
    text.encode("utf-8")
    assert failures(text)[0]["a"].get("message") == "tea\\x00\\x1b[2J <b>&\"' ]]> \\ud800 \\uffff ü"


def test_a_whole_audit(rng):
    result = audit(rng.normal(size=(60, 4)) + 10.0, k=5)
    failed, _ = failures(junit_xml(result.to_dict(), level="warn"))
    assert set(failed) == {row.id for row in result.findings if row.verdict in ("warn", "fail")} != set()

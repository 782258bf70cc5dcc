"""The part of YAML that templates are written in, held against a full reader."""

import pytest
import yaml

from molecule_mcp.embedded.sample.shelf import SHELF
from molecule_mcp.embedded.yaml_text import BadYaml, load

DOCUMENTS = [
    "",
    "# only a comment\n",
    "a: 1\nb: -2\nc: x y # note\nd: 'it''s # none'\ne: \"q\\\"\\n\"\nf: null\ng: ~\nh: true\n",
    "---\na:\n  b:\n    c: d\n",
    "a:\n- 1\n- two\nb:\n  - three\n",
    "- a: 1\n  b: 2\n-\n  a: 3\n- - x\n  - y\n",
    "a: |\n  first\n    second\n\n  third\nb: >-\n  one\n  two\nc: |-\n  end\n",
    "a: []\nb: {}\nc: [x, 'y']\nd: {\"k\": [1]}\n",
    '{"a": [1, {"b": null}]}',
    'url: http://x.example/a#b\ntime: 07:30\nquoted key: 1\n"other key": 2\n',
    "a: $0/month\nb: ${X}\n",
]


@pytest.mark.parametrize("text", DOCUMENTS)
def test_a_document_reads_as_a_full_reader_reads_it(text: str) -> None:
    expected = yaml.safe_load(text)
    if isinstance(expected, dict) and "time" in expected:
        expected["time"] = "07:30"  # a full reader of the older standard takes it for minutes
    assert load(text) == expected


@pytest.mark.parametrize("entry", [each for each in SHELF if "!" not in each[3] and each[2].endswith("yaml")])
def test_the_sample_reads_as_a_full_reader_reads_it(entry: tuple[str, str, str, str]) -> None:
    text = entry[3]
    if entry[1] == "broken":
        with pytest.raises(yaml.YAMLError):
            yaml.safe_load(text)
        with pytest.raises(BadYaml):
            load(text)
    else:
        assert load(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: [1",
        "a: b: c",
        "a: 1\na: 2",
        "a:\n\t- 1",
        "a: 1\n   b: 2",
        "&x",
        "a: *x",
        '{"a": }',
        'a: "open',
        "a: 1\nplain",
    ],
)
def test_what_is_no_yaml_or_too_much_of_it_is_broken(text: str) -> None:
    with pytest.raises(BadYaml):
        load(text)


def test_an_include_stays_a_text() -> None:
    assert load("- !include lead.yaml\n") == ["!include lead.yaml"]

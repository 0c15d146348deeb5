"""What a change of style sheets is worth as an answer."""

import pytest
from msgspec.json import decode

from engine.rebuild.styles import only_prepares
from schemas.rrweb_sources import StyleSheetRuleData


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ('"adds": [{"rule": ".css-1iv{opacity:0}", "index": 3}, {"rule": "@keyframes a1 {}"}]', True),
        ('"adds": [{"rule": "body{background:#000}"}]', False),
        ('"adds": [{"rule": ".a{}"}, {"rule": "button{}"}]', False),
        ('"adds": [{"rule": ".a{}"}], "removes": [{"index": 1}]', False),
        ('"removes": [{"index": 1}]', False),
        ('"adds": [], "replace": ".a{}"', False),
    ],
)
def test_rules_for_classes_only_prepare(rest: str, *, expected: bool) -> None:
    data = decode(f'{{"source": 8, "id": 11, {rest}}}', type=StyleSheetRuleData)
    assert only_prepares(data) is expected

"""A template is read in both of its spellings and resolved as CloudFormation would."""

from pathlib import Path

import pytest

from infra.local.template import Resolver, default_parameters, parse, read
from plumbline.domain.errors import NotFound

TEMPLATE = parse("""
Parameters:
  Stage: {Type: String, Default: dev}
  Limit: {Type: Number, Default: 0}
Conditions:
  Limited: !Not [!Equals [!Ref Limit, 0]]
  Dev: !Equals [!Ref Stage, dev]
  Both: !And [!Condition Limited, !Condition Dev]
  Either: !Or [!Condition Limited, !Condition Dev]
Mappings:
  Sizes: {dev: {memory: 512}}
Resources:
  Fn:
    Type: AWS::Lambda::Function
    Properties: {Queue: !GetAtt Dead.Arn, Nested: !GetAtt [Tables, Outputs.CandlesArn]}
""")


@pytest.fixture
def resolver() -> Resolver:
    return Resolver(TEMPLATE, default_parameters(TEMPLATE))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("!Ref Stage", "dev"),
        ("{Ref: Stage}", "dev"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref Fn", "Fn"),
        ("!Sub plumbline-${Stage}", "plumbline-dev"),
        ("!Sub ['${Stage}-${Own}', {Own: !Ref Limit}]", "dev-0"),
        ("!Sub 'arn:${AWS::Partition}:${Dead.Arn}:${!Literal}'", "arn:aws:Dead.Arn:${Literal}"),
        ("!If [Dev, [1, !Ref AWS::NoValue], 2]", [1]),
        ("!If [Limited, 1, 2]", 2),
        ("!If [Both, 1, 2]", 2),
        ("!If [Either, 1, 2]", 1),
        ("{a: !If [Limited, 1, !Ref AWS::NoValue], b: 2}", {"b": 2}),
        ("!Join ['-', [a, !Ref Stage]]", "a-dev"),
        ("!Select [1, !Split [',', 'a,b']]", "b"),
        ("!FindInMap [Sizes, !Ref Stage, memory]", 512),
    ],
)
def test_an_intrinsic_function_has_the_value_that_cloudformation_gives_it(
    resolver: Resolver, written: str, value: object
) -> None:
    assert resolver.resolve(parse(written)) == value


def test_resources_are_looked_up_by_logical_id_and_attribute() -> None:
    resolver = Resolver(TEMPLATE, {}, lambda logical, attribute: f"<{logical}|{attribute}>")
    properties = resolver.resolve(TEMPLATE["Resources"]["Fn"]["Properties"])
    assert properties == {"Queue": "<Dead|Arn>", "Nested": "<Tables|Outputs.CandlesArn>"}


def test_a_template_that_was_not_built_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="run `plumbline up`"):
        read(tmp_path / "template.yaml")

"""What the template promises beyond being valid: rights, schedules, paths, names, retries, weight."""

import fnmatch
import json
import re
import tomllib
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from infra.local.template import Resolver, default_parameters, read
from infra.weights import BUILD, LIMIT, weights
from plumbline.domain.calendar import DAY, Interval, Timeframe
from plumbline.domain.drift import DRIFTED, ModelReport
from plumbline.health import MARKET, allowed
from plumbline.observability import publish_lags, publish_model
from plumbline.pipeline.progress import DIGEST, SUMMARISE, TRACK, checking, generating
from plumbline.pipeline.reporting import MAIL
from plumbline.pipeline.watching import WATCH
from plumbline.settings import _NAMES, Settings

ROOT = Path(__file__).parent.parent
PREFIX = "plumbline-test"

RAW = read(ROOT / "template.yaml")
RESOLVER = Resolver(RAW, default_parameters(RAW) | {"Stage": "test"})
RESOURCES: dict[str, Any] = {name: RESOLVER.resolve(resource) for name, resource in RAW["Resources"].items()}
DEFAULTS: dict[str, Any] = RESOLVER.resolve(RAW["Globals"]["Function"])
MONITORING = read(ROOT / "infra" / "monitoring.yaml")["Resources"]

ASKS_THE_MODEL = {"GenerateSignals", "SummariseDay", "Api"}
SCHEDULED = ("CollectCandles", "GenerateSignals", "CheckOutcomes", "TrackTrades", "SummariseDay")
TELLING = ("Notify", "LiveFeed")
STREAMED = ("Signals", "Positions", "Trades")
TIMEFRAMES = (Timeframe.M5, Timeframe.M15, Timeframe.H1, Timeframe.H4, Timeframe.D1)
NOW = '"time": <time>'


def of_type(kind: str) -> dict[str, Any]:
    return {name: resource["Properties"] for name, resource in RESOURCES.items() if resource["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")
FUNCTIONS_RAW = {name: RAW["Resources"][name]["Properties"] for name in FUNCTIONS}
LAYERS = of_type("AWS::Serverless::LayerVersion")
LOGICAL = {rule["Name"].removeprefix(f"{PREFIX}-"): name for name, rule in of_type("AWS::Events::Rule").items()}
RULES = {rule: RESOURCES[name]["Properties"] for rule, name in LOGICAL.items()}


def statements(function: str) -> list[dict[str, Any]]:
    return [statement for policy in FUNCTIONS[function]["Policies"] for statement in policy["Statement"]]


def tables(function: str, *actions: str) -> set[str]:
    """Tables on which a function may do any of these."""
    wanted = {f"dynamodb:{action}" for action in actions}
    granted = [statement for statement in statements(function) if wanted & set(statement["Action"])]
    arns = [arn for statement in granted for arn in statement["Resource"] if "/index/" not in arn]
    return {arn.removeprefix("Tables.Outputs.").removesuffix("Arn") for arn in arns}


def environment(function: str) -> dict[str, str]:
    own = FUNCTIONS[function].get("Environment", {}).get("Variables", {})
    return {name: str(value) for name, value in (DEFAULTS["Environment"]["Variables"] | own).items()}


def routes() -> dict[tuple[str, str], dict[str, Any]]:
    events = [event["Properties"] for event in FUNCTIONS["Api"]["Events"].values()]
    return {(event["Path"], event["Method"]): event for event in events}


# --- rights ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_granted_no_wildcard_and_no_scan(function: str) -> None:
    for statement in statements(function):
        # whoever listens, listens at an address that nobody knows beforehand
        listeners = statement["Action"] == ["execute-api:ManageConnections"]
        resources = [arn.removesuffix("/@connections/*") if listeners else arn for arn in statement["Resource"]]
        assert not [word for word in (*statement["Action"], *resources) if "*" in word or "Scan" in word]


@pytest.mark.parametrize(
    ("function", "written"),
    [
        ("CollectCandles", {"Candles", "Channels", "Cursors", "Markets"}),
        ("GenerateSignals", {"Channels", "Cursors", "Signals", "Strategies"}),
        ("CheckOutcomes", {"Channels", "Cursors", "Outcomes"}),
        ("TrackTrades", {"Channels", "Cursors", "Positions", "Trades"}),
        ("SummariseDay", {"Channels", "Cursors", "Rollups"}),
        ("Notify", {"Connections", "Feed"}),
        ("LiveFeed", {"Connections"}),
        ("Api", {"Cursors", "Idempotency", "Markets", "Signals", "Strategies"}),
    ],
)
def test_a_function_writes_only_the_tables_of_its_own_step(function: str, written: set[str]) -> None:
    assert tables(function, "PutItem", "UpdateItem", "BatchWriteItem", "DeleteItem") == written


@pytest.mark.parametrize(
    ("function", "read"),
    [
        ("CollectCandles", {"Candles", "Channels", "Cursors", "Markets"}),
        ("GenerateSignals", {"Candles", "Channels", "Cursors", "Markets", "Signals", "Strategies"}),
        ("CheckOutcomes", {"Candles", "Channels", "Cursors", "Outcomes", "Signals"}),
        ("TrackTrades", {"Candles", "Channels", "Cursors", "Positions", "Signals", "Trades"}),
        (
            "SummariseDay",
            {
                *("Candles", "Channels", "Cursors", "Markets", "Outcomes", "Rollups", "Signals", "Strategies"),
                "Trades",
            },
        ),
        ("Notify", {"Connections", "Cursors", "Feed"}),
        ("LiveFeed", {"Channels", "Connections", "Cursors", "Feed", "Markets"}),
    ],
)
def test_a_function_reads_only_the_tables_that_its_step_needs(function: str, read: set[str]) -> None:
    assert tables(function, "GetItem", "BatchGetItem", "Query") == read


def test_no_function_may_delete_a_fact_and_only_state_is_updated_in_place() -> None:
    deleted = {(name, table) for name in FUNCTIONS for table in tables(name, "DeleteItem")}
    assert deleted == {
        ("Api", "Idempotency"),
        ("TrackTrades", "Positions"),
        ("Notify", "Connections"),
        ("LiveFeed", "Connections"),
    }
    updated = {table for name in FUNCTIONS for table in tables(name, "UpdateItem")}
    assert updated == {"Connections", "Cursors", "Idempotency"}


def test_only_who_tells_listeners_may_send_to_them_and_only_to_those_of_this_feed() -> None:
    sending = {
        name: statement["Resource"]
        for name in FUNCTIONS
        for statement in statements(name)
        if any(action.startswith("execute-api:") for action in statement["Action"])
    }
    listeners = "arn:aws:execute-api:us-east-1:000000000000:SocketApi/live/{}/@connections/*"
    assert sending == {name: [listeners.format(method) for method in ("DELETE", "POST")] for name in TELLING}


def test_only_the_summary_sends_mail_and_only_where_somebody_is_named() -> None:
    assert not [name for name in FUNCTIONS for s in statements(name) if any(a.startswith("ses:") for a in s["Action"])]
    addresses = {"SummaryEmailTo": "desk@example.com,risk@example.com", "SummaryEmailFrom": "summary@mail.example.com"}
    told = Resolver(RAW, default_parameters(RAW) | addresses)
    resolved = {name: told.resolve(FUNCTIONS_RAW[name]) for name in FUNCTIONS}
    sending = {
        name: statement["Resource"]
        for name, function in resolved.items()
        for policy in function["Policies"]
        for statement in policy["Statement"]
        if any(action.startswith("ses:") for action in statement["Action"])
    }
    identity = "arn:aws:ses:us-east-1:000000000000:identity/"
    assert sending == {"SummariseDay": [f"{identity}summary@mail.example.com", f"{identity}mail.example.com"]}
    settings = Settings.read(environment("SummariseDay") | resolved["SummariseDay"]["Environment"]["Variables"])
    assert settings.summary_email_to == ("desk@example.com", "risk@example.com")
    assert settings.summary_email_from == "summary@mail.example.com"


def test_a_summary_links_to_the_page_behind_the_front_door() -> None:
    assert environment("SummariseDay")["PLUMBLINE_DASHBOARD_URL"] == "https://FrontDoor.DomainName/bot-performance"
    assert "/bot-performance" in {path for path, _ in routes()}


def test_only_the_api_switches_rules_and_only_those_of_the_checks() -> None:
    switching = {
        name: statement["Resource"]
        for name in FUNCTIONS
        for statement in statements(name)
        if any(action.startswith("events:") for action in statement["Action"])
    }
    assert switching == {"Api": [f"Check{interval}.Arn" for interval in Interval]}
    assert environment("Api")["PLUMBLINE_CHECK_RULES"].split(",") == [f"{PREFIX}-check-{i}" for i in Interval]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_may_start_its_function(rule: str) -> None:
    function = RULES[rule]["Targets"][0]["Arn"].removesuffix(".Arn")
    arns = {f"arn:aws:events:us-east-1:000000000000:rule/{PREFIX}-{rule}", f"{LOGICAL[rule]}.Arn"}
    sources = [p["SourceArn"] for p in of_type("AWS::Lambda::Permission").values() if p["FunctionName"] == function]
    assert any(fnmatch.fnmatch(arn, source) for arn in arns for source in sources)


# --- schedules -------------------------------------------------------------------------------------------------------


def test_schedules_are_these_and_carry_the_time_they_were_meant_for() -> None:
    expected = {
        "collect": ("CollectCandles", "cron(* * * * ? *)", "{" + NOW + "}"),
        "check-1h": ("CheckOutcomes", "cron(2/5 * * * ? *)", '{"interval": "1h", ' + NOW + "}"),
        "check-4h": ("CheckOutcomes", "cron(3/5 * * * ? *)", '{"interval": "4h", ' + NOW + "}"),
        "check-24h": ("CheckOutcomes", "cron(4/5 * * * ? *)", '{"interval": "24h", ' + NOW + "}"),
        "check-7d": ("CheckOutcomes", "cron(3/5 * * * ? *)", '{"interval": "7d", ' + NOW + "}"),
        "check-30d": ("CheckOutcomes", "cron(4/5 * * * ? *)", '{"interval": "30d", ' + NOW + "}"),
        "track": ("TrackTrades", "cron(* * * * ? *)", "{" + NOW + "}"),
        "refresh-summaries": ("SummariseDay", "cron(0/5 * * * ? *)", "{" + NOW + "}"),
    } | {
        f"generate-{t}": ("GenerateSignals", "cron(1/5 * * * ? *)", '{"timeframe": "' + t + '", ' + NOW + "}")
        for t in TIMEFRAMES
    }
    found = {}
    for name, rule in RULES.items():
        (target,) = rule["Targets"]
        assert target["InputTransformer"]["InputPathsMap"] == {"time": "$.time"}
        found[name] = (
            target["Arn"].removesuffix(".Arn"),
            rule["ScheduleExpression"],
            target["InputTransformer"]["InputTemplate"],
        )
    assert found == expected


def test_schedules_can_be_switched_off_together_for_a_replay() -> None:
    off = Resolver(RAW, default_parameters(RAW) | {"Schedules": "DISABLED"})
    states = {off.resolve(RAW["Resources"][name]["Properties"]["State"]) for name in of_type("AWS::Events::Rule")}
    assert states == {"DISABLED"}


@pytest.mark.parametrize("function", SCHEDULED)
def test_a_failed_run_is_repeated_and_what_still_fails_is_kept(function: str) -> None:
    retries = FUNCTIONS[function]["EventInvokeConfig"]
    assert retries["MaximumRetryAttempts"] == 2
    assert retries["DestinationConfig"]["OnFailure"] == {"Type": "SQS", "Destination": "DeadLetters.Arn"}


@pytest.mark.parametrize("rule", RULES)
def test_an_event_that_cannot_be_delivered_is_kept(rule: str) -> None:
    assert RULES[rule]["Targets"][0]["DeadLetterConfig"] == {"Arn": "DeadLetters.Arn"}


# --- logs, traces, alarms --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS)
def test_logs_end_and_runs_are_traced(function: str) -> None:
    group = RESOURCES[FUNCTIONS[function]["LoggingConfig"]["LogGroup"]]["Properties"]
    assert group["LogGroupName"] == "/aws/lambda/" + FUNCTIONS[function]["FunctionName"]
    assert int(group["RetentionInDays"]) == 30
    assert DEFAULTS["Tracing"] == "Active"
    assert "Tracing" not in FUNCTIONS[function]


def test_an_alarm_watches_the_errors_of_every_function_and_the_dead_letters() -> None:
    alarms = [r["Properties"] for r in MONITORING.values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    errors = {a["Dimensions"][0]["Value"]["Ref"] for a in alarms if a["MetricName"] == "Errors"}
    assert errors == set(FUNCTIONS)
    assert [a for a in alarms if a["MetricName"] == "ApproximateNumberOfMessagesVisible"]
    assert all(a["AlarmActions"] == [{"Ref": "Alarms"}] for a in alarms)


ALARMS = [r["Properties"] for r in MONITORING.values() if r["Type"] == "AWS::CloudWatch::Alarm"]
AGES = {alarm["Dimensions"][1]["Value"]: alarm for alarm in ALARMS if alarm["MetricName"] == "CursorLag"}


def test_an_alarm_watches_the_market_and_every_cursor_that_a_schedule_moves() -> None:
    assert set(AGES) == {
        MARKET,
        *(generating(timeframe) for timeframe in TIMEFRAMES),
        *(checking(interval) for interval in Interval),
        TRACK,
        SUMMARISE,
        WATCH,
        DIGEST,
        MAIL,
    }


def test_only_silence_about_the_market_is_an_alarm() -> None:
    breaching = {name for name, alarm in AGES.items() if alarm["TreatMissingData"] == "breaching"}
    assert breaching == {MARKET}


@pytest.mark.parametrize("name", AGES)
def test_an_alarm_calls_late_what_the_service_calls_late(name: str) -> None:
    assert AGES[name]["Threshold"] * 1000 == allowed(name)
    assert AGES[name]["ComparisonOperator"] == "GreaterThanThreshold"


RHYTHM = {"*": 1} | {f"{minute}/5": 5 for minute in range(5)}
"""Minutes between the runs of a rule, by the first field of its schedule; any other is once an hour."""


def rule_of(cursor: str) -> str:
    """The rule whose next run moves this cursor."""
    named = {MARKET: "collect"} | dict.fromkeys((SUMMARISE, WATCH, DIGEST, MAIL), "refresh-summaries")
    return named.get(cursor, cursor.replace("#", "-"))


@pytest.mark.parametrize("name", AGES)
def test_an_alarm_waits_for_the_rule_that_repairs_what_a_late_fact_set_back(name: str) -> None:
    minutes = RULES[rule_of(name)]["ScheduleExpression"].removeprefix("cron(").split()[0]
    waits = AGES[name]["EvaluationPeriods"] * AGES[name]["Period"] / 60
    assert waits >= RHYTHM.get(minutes, 60) + AGES[name]["Period"] / 60


def test_the_age_of_a_cursor_is_published_where_its_alarm_looks(capsys: pytest.CaptureFixture[str]) -> None:
    publish_lags(dict.fromkeys(AGES, 1_000))
    published = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {blob["cursor"] for blob in published} == set(AGES)
    assert environment("CollectCandles")["POWERTOOLS_SERVICE_NAME"] == PREFIX
    assert RESOURCES["Monitoring"]["Properties"]["Parameters"]["Prefix"] == PREFIX
    for blob in published:
        [metrics] = blob["_aws"]["CloudWatchMetrics"]
        alarm = AGES[blob["cursor"]]
        assert metrics["Namespace"] == alarm["Namespace"]
        assert [[d["Name"] for d in alarm["Dimensions"]]] == [
            sorted(names, reverse=True) for names in metrics["Dimensions"]
        ]
        assert alarm["Dimensions"][0]["Value"] == {"Ref": "Prefix"}
        assert [metric["Name"] for metric in metrics["Metrics"]] == [alarm["MetricName"]]
        assert [metric["Unit"] for metric in metrics["Metrics"]] == ["Seconds"]


OF_THE_MODEL = {alarm["MetricName"]: alarm for alarm in ALARMS if alarm["MetricName"].startswith("Model")}
A_REPORT = ModelReport(
    day="2026-11-19",
    days=30,
    model="ppo-lstm",
    version="1",
    model_hash="f" * 64,
    symbols=("BTC/USDT",),
    examples=720,
    psi={"rsi": 0.2, "trend": 0.3},
    log_loss=1.08,
    prior_log_loss=1.09,
    skill=0.01,
    skill_low=-0.01,
    skill_high=0.03,
    brier=0.65,
    calibration_error=0.02,
    acted=0,
    hits=0,
    stated=0.0,
    earns_its_place=True,
)


def published_of(report: ModelReport, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    publish_model(report)
    blob: dict[str, Any] = json.loads(capsys.readouterr().out)
    return blob


def test_what_is_reported_of_the_model_is_published_where_its_alarms_and_the_dashboard_look(
    capsys: pytest.CaptureFixture[str],
) -> None:
    blob = published_of(A_REPORT, capsys)
    [metrics] = blob["_aws"]["CloudWatchMetrics"]
    names = {metric["Name"] for metric in metrics["Metrics"]}
    assert metrics["Dimensions"] == [["service"]]
    assert set(OF_THE_MODEL) == {"ModelDrift", "ModelEarnsItsPlace"} < names
    for alarm in OF_THE_MODEL.values():
        assert alarm["Namespace"] == metrics["Namespace"]
        assert alarm["Dimensions"] == [{"Name": "service", "Value": {"Ref": "Prefix"}}]
    assert environment("SummariseDay")["POWERTOOLS_SERVICE_NAME"] == PREFIX
    board = json.dumps(MONITORING["Dashboard"])
    assert all(f'[\\"Plumbline\\", \\"{name}\\", \\"service\\", \\"${{Prefix}}\\"' in board for name in names)


def breaches(alarm: dict[str, Any], value: float) -> bool:
    return bool(
        value < alarm["Threshold"] if alarm["ComparisonOperator"] == "LessThanThreshold" else value > alarm["Threshold"]
    )


def test_a_model_that_loses_its_place_or_its_market_is_an_alarm_and_silence_is_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = published_of(replace(A_REPORT, psi={"rsi": 0.04, "trend": 0.16}), capsys)
    bad = published_of(replace(A_REPORT, earns_its_place=False), capsys)
    for name, alarm in OF_THE_MODEL.items():
        assert not breaches(alarm, good[name][0])
        assert breaches(alarm, bad[name][0])
        assert alarm["TreatMissingData"] == "notBreaching"
    assert OF_THE_MODEL["ModelDrift"]["Threshold"] == DRIFTED


@pytest.mark.parametrize(("metric", "days"), [("ModelEarnsItsPlace", 1), ("ModelDrift", 3)])
def test_the_model_is_judged_by_whole_days_as_its_reports_are(metric: str, days: int) -> None:
    assert OF_THE_MODEL[metric]["Period"] * 1000 == DAY
    assert OF_THE_MODEL[metric]["EvaluationPeriods"] == days


# --- the live feed ---------------------------------------------------------------------------------------------------

MAPPINGS = of_type("AWS::Lambda::EventSourceMapping")


def test_whatever_is_written_to_signals_positions_or_trades_starts_notify() -> None:
    assert {(m["FunctionName"], m["EventSourceArn"]) for m in MAPPINGS.values()} == {
        ("Notify", f"Tables.Outputs.{table}StreamArn") for table in STREAMED
    }
    readable = [statement for statement in statements("Notify") if "dynamodb:GetRecords" in statement["Action"]]
    assert {arn for statement in readable for arn in statement["Resource"]} == {
        mapping["EventSourceArn"] for mapping in MAPPINGS.values()
    }


@pytest.mark.parametrize("mapping", MAPPINGS.values(), ids=MAPPINGS)
def test_nothing_is_passed_over_and_one_bad_record_does_not_hold_up_the_others(mapping: dict[str, Any]) -> None:
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] == -1
    assert mapping["MaximumRecordAgeInSeconds"] == 3600
    assert mapping["DestinationConfig"]["OnFailure"] == {"Destination": "DeadLetters.Arn"}
    assert mapping.get("ParallelizationFactor", 1) == 1


@pytest.mark.parametrize("function", TELLING)
def test_messages_leave_by_the_stage_at_which_clients_connect(function: str) -> None:
    stage = RESOURCES["SocketStage"]["Properties"]
    region = "SocketApi.execute-api.us-east-1.amazonaws.com"
    assert environment(function)["PLUMBLINE_SOCKETS_ENDPOINT"] == f"https://{region}/{stage['StageName']}"
    assert environment("Api")["PLUMBLINE_FEED_URL"] == f"wss://{region}/{stage['StageName']}"
    assert RESOLVER.resolve(RAW["Outputs"]["FeedUrl"]["Value"]) == environment("Api")["PLUMBLINE_FEED_URL"]


def test_a_client_speaks_to_one_function_whatever_it_says() -> None:
    targets = {route["RouteKey"]: route["Target"] for route in of_type("AWS::ApiGatewayV2::Route").values()}
    assert targets == dict.fromkeys(("$connect", "$disconnect", "$default"), "integrations/SocketIntegration")
    assert "functions/LiveFeed.Arn/" in RESOURCES["SocketIntegration"]["Properties"]["IntegrationUri"]
    assert FUNCTIONS["LiveFeed"]["Timeout"] < 29


def test_what_notify_gives_up_lies_with_the_other_dead_letters() -> None:
    assert environment("Notify")["PLUMBLINE_DEAD_LETTERS"] == "DeadLetters"
    sending = {name for name in FUNCTIONS for statement in statements(name) if "sqs:SendMessage" in statement["Action"]}
    assert sending == {"Notify"}


# --- the front door --------------------------------------------------------------------------------------------------

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
DOOR = RESOURCES["FrontDoor"]["Properties"]["DistributionConfig"]
BEHAVIOURS = {behaviour["PathPattern"]: behaviour for behaviour in DOOR["CacheBehaviors"]}
LOCAL = Resolver(RAW, default_parameters(RAW) | {"Stage": "local", "LocalEndpoint": "http://127.0.0.1:4566"})


def test_what_is_not_known_to_be_public_is_never_kept_at_the_front_door() -> None:
    assert DOOR["DefaultCacheBehavior"]["CachePolicyId"] == CACHING_DISABLED
    assert DOOR["DefaultCacheBehavior"]["OriginRequestPolicyId"] == ALL_BUT_HOST
    assert {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"} == set(
        DOOR["DefaultCacheBehavior"]["AllowedMethods"]
    )
    kept = {path for path, behaviour in BEHAVIOURS.items() if behaviour["CachePolicyId"] != CACHING_DISABLED}
    assert kept == {"/api/public/*", "/bot-performance*", "/docs", "/openapi.json"}


def test_every_path_that_the_front_door_keeps_is_public() -> None:
    kept = [path for path, behaviour in BEHAVIOURS.items() if behaviour["CachePolicyId"] != CACHING_DISABLED]
    for path, event in ((path, event) for (path, _), event in routes().items()):
        if any(fnmatch.fnmatch(path, pattern) for pattern in kept):
            assert event.get("Auth") == {"Authorizer": "NONE"}, path


def test_the_api_says_how_long_an_answer_is_kept_and_its_query_and_form_are_part_of_it() -> None:
    policy = RESOURCES["AsTheApiSays"]["Properties"]["CachePolicyConfig"]
    assert (policy["MinTTL"], policy["DefaultTTL"]) == (0, 0)
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    assert key["QueryStringsConfig"] == {"QueryStringBehavior": "all"}
    assert key["HeadersConfig"] == {"HeaderBehavior": "whitelist", "Headers": ["Accept"]}
    assert key["CookiesConfig"] == {"CookieBehavior": "none"}
    assert key["EnableAcceptEncodingGzip"]
    assert key["EnableAcceptEncodingBrotli"]


def test_the_apis_errors_are_passed_on_and_never_kept() -> None:
    assert all(set(error) == {"ErrorCode", "ErrorCachingMinTTL"} for error in DOOR["CustomErrorResponses"])
    assert {error["ErrorCachingMinTTL"] for error in DOOR["CustomErrorResponses"]} == {0}


def test_the_front_door_leads_to_the_stages_of_the_two_apis_on_aws_and_locally() -> None:
    assert {(origin["DomainName"], origin["OriginPath"]) for origin in DOOR["Origins"]} == {
        ("RestApi.execute-api.us-east-1.amazonaws.com", "/v1"),
        ("SocketApi.execute-api.us-east-1.amazonaws.com", ""),
    }
    assert {origin["CustomOriginConfig"]["OriginProtocolPolicy"] for origin in DOOR["Origins"]} == {"https-only"}
    here = LOCAL.resolve(RAW["Resources"]["FrontDoor"]["Properties"]["DistributionConfig"])["Origins"]
    assert {(origin["DomainName"], origin["OriginPath"]) for origin in here} == {
        ("localhost", "/_aws/execute-api/RestApi/v1"),
        ("localhost", "/_aws/execute-api/SocketApi"),
    }
    assert {origin["CustomOriginConfig"]["HTTPPort"] for origin in here} == {"4566"}


@pytest.mark.parametrize(
    ("output", "address"),
    [
        ("ApiUrl", "http://127.0.0.1:4566/_aws/execute-api/RestApi/v1"),
        ("FeedUrl", "ws://127.0.0.1:4566/_aws/execute-api/SocketApi/live"),
        ("FrontDoorUrl", "http://FrontDoor.cloudfront.localhost:4566"),
    ],
)
def test_a_local_stack_has_local_addresses(output: str, address: str) -> None:
    assert LOCAL.resolve(RAW["Outputs"][output]["Value"]) == address


# --- environment -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_environment_is_one_that_settings_can_read(function: str) -> None:
    settings = Settings.read(environment(function))
    assert (settings.stage, settings.tables, settings.exchange) == ("test", PREFIX, "binance")


def test_every_setting_is_set_and_nothing_that_is_none() -> None:
    told = {name for function in FUNCTIONS for name in environment(function)}
    others = {name for name in told if name.startswith("POWERTOOLS_")} | {"OPENBLAS_NUM_THREADS"}
    assert told - others == set(_NAMES)


@pytest.mark.parametrize("model", ["", "none", "/opt/python/policies/mine.onnx"])
def test_whoever_asks_the_model_is_told_which_and_nobody_else(model: str) -> None:
    told = Resolver(RAW, default_parameters(RAW) | {"Model": model})
    named = {
        name: told.resolve(FUNCTIONS_RAW[name].get("Environment", {})).get("Variables", {}).get("PLUMBLINE_MODEL")
        for name in FUNCTIONS
    }
    assert {name for name, value in named.items() if value is not None} == ASKS_THE_MODEL
    assert {value for value in named.values() if value is not None} == {model}
    assert {name for name in FUNCTIONS if "ModelLayer" in FUNCTIONS[name]["Layers"]} == ASKS_THE_MODEL
    assert Settings.read(environment("SummariseDay") | {"PLUMBLINE_MODEL": model}).model == model


@pytest.mark.parametrize("stage", ["local", "dev", "prod"])
def test_a_stage_sets_only_parameters_that_exist(stage: str) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    pairs = dict(pair.split("=", 1) for pair in config[stage]["deploy"]["parameters"]["parameter_overrides"])
    assert set(pairs) <= set(RAW["Parameters"])
    assert pairs["Stage"] == stage
    assert (pairs["ProtectData"] == "true") == (stage == "prod")


# --- HTTP ------------------------------------------------------------------------------------------------------------


def test_the_template_lists_exactly_the_paths_that_the_application_serves() -> None:
    from api.app import app

    served = {(path, method) for path, methods in app.routes.items() for method in methods}
    assert set(routes()) == served


def test_only_these_paths_are_public() -> None:
    public = {path for (path, _), event in routes().items() if event.get("Auth") == {"Authorizer": "NONE"}}
    paper = {"", "/open-positions", "/summary", "/performance", "/{signal_id}"}
    page = {"/bot-performance", "/bot-performance/{asset}"}
    assert (
        public == {"/", "/health", "/openapi.json", "/docs"} | {f"/api/public/paper-trading{p}" for p in paper} | page
    )
    assert RESOURCES["RestApi"]["Properties"]["Auth"]["DefaultAuthorizer"] == "Users"


def test_no_path_is_a_wildcard() -> None:
    assert not [key for key in routes() if key[1] == "ANY" or "+" in key[0]]


@pytest.mark.parametrize("kind", RESOURCES["RestApi"]["Properties"]["GatewayResponses"])
def test_the_gateway_itself_answers_with_a_problem_document(kind: str) -> None:
    answer = RESOURCES["RestApi"]["Properties"]["GatewayResponses"][kind]
    template = answer["ResponseTemplates"]["application/json"]
    problem = json.loads(template.replace("$context.error.messageString", '"why"'))
    assert answer["ResponseParameters"]["Headers"]["Content-Type"] == "'application/problem+json'"
    assert set(problem) == {"type", "title", "status", "detail"}
    assert problem["status"] == int(answer["StatusCode"])
    assert problem["title"] == HTTPStatus(problem["status"]).phrase


def test_no_kind_of_the_gateways_own_errors_is_left_without_its_status() -> None:
    kinds = set(RESOURCES["RestApi"]["Properties"]["GatewayResponses"])
    assert kinds == {
        *("ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE"),
        *("BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN"),
        *("INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "INVALID_API_KEY", "INVALID_SIGNATURE"),
        *("MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED"),
        *("UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED"),
    }


def test_a_line_of_the_access_log_is_json_whatever_the_gateway_has_to_say() -> None:
    line = RESOURCES["RestApi"]["Properties"]["AccessLogSetting"]["Format"]
    assert "error.message" not in line
    assert set(json.loads(re.sub(r"\$context[.\w]+", "-", line))) >= {"status", "error"}


# --- build -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*FUNCTIONS, *LAYERS])
def test_everything_that_is_built_has_its_target_in_the_layers_makefile(name: str) -> None:
    assert RESOURCES[name]["Metadata"] == {
        "BuildMethod": "makefile",
        "BuildArchitecture": "x86_64",
        "ContextPath": "layers",
        "WorkingDirectory": ".",
    }
    assert f"\nbuild-{name}:\n" in (ROOT / "layers" / "Makefile").read_text()


def test_the_architecture_is_one_parameter_for_all() -> None:
    arm = Resolver(RAW, default_parameters(RAW) | {"Architecture": "arm64"})
    assert arm.resolve(RAW["Globals"]["Function"]["Architectures"]) == ["arm64"]
    layers = [arm.resolve(RAW["Resources"][name]["Properties"]) for name in LAYERS]
    assert all(layer["CompatibleArchitectures"] == ["arm64"] for layer in layers)


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_locked_by_hash_at_the_versions_that_are_tested(name: str) -> None:
    folder = ROOT / LAYERS[name]["ContentUri"]
    pins = re.findall(r"^(\S+==\S+) \\$", (folder / "requirements.txt").read_text(), re.MULTILINE)
    wanted = [line.split("#")[0].strip() for line in (folder / "requirements.in").read_text().splitlines()]
    tested = (ROOT / "requirements" / "dev.txt").read_text()
    assert [pin.split("==")[0] for pin in pins] == sorted(name for name in wanted if name)
    assert all(f"\n{pin} \\\n    --hash=sha256:" in "\n" + tested for pin in pins)


@pytest.mark.skipif(not (BUILD / "template.yaml").exists(), reason="nothing is built: `make build` first")
def test_no_built_function_weighs_more_than_the_limit() -> None:
    built = {weight.function: weight.total for weight in weights()}
    assert set(built) == set(FUNCTIONS)
    assert max(built.values()) <= LIMIT

"""The model card as a page, written from the figures that the files carry."""

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from layers.model.training.checks import LEAST_SURPLUS, LEAST_TRADES
from layers.model.training.scores import CONFIDENT, LEAST_WEEKS
from layers.model.training.walkforward import MODELS, SERVED
from plumbline.domain.policy import WINDOW

type Card = Mapping[str, Any]

_HEAD = """# The policy

A PPO-LSTM: one LSTM over the last 32 hourly candles, trained by proximal policy optimisation on trades with a stop and
a target, its last layer then refitted so that what it answers are frequencies. `make model DATA=FOLDER` trains it,
judges it and writes this page; no figure here was typed by hand.

{meaning}

It is not advice, and not evidence that anybody can earn by it: the tables say what was found on the data named, by the
method described, and no more.
"""

_TRAINING = """
## Training

`make model DATA=FOLDER` reads every `<BASE>-USDT_1h.csv.gz` of the folder (the form of recorded candles that
[the simulated exchange](simulated-exchange.md) reads) and every `spot__<BASE>USDT__1h__<source>.csv.gz` (the same
table; several sources of one symbol are merged by time). It makes its own environment on Python 3.11, fits for some ten
minutes on two cores, and replaces the files in `layers/model/policies` and this page only where every gate below holds.
The same data and code make the same bytes. The card calls the folder's candles those of Binance; `--source` says
otherwise. The environment is locked for Linux on x86-64 with torch's build for CPUs; elsewhere compile
`requirements/train.in` anew. `TORCH=` says where torch comes from.
"""

_METHOD = """
## Method

* **Inputs** are the service's own feature code on the service's own windows, block by block, so that training sees what
  serving computes, bit for bit. No window of {window} candles and no trade reaches over a hole in the data; the slower
  averages among the features run across it, as they do live.
* **Learning.** A warm start clones the action that turned out right; PPO goes on from there with the trade's R after
  costs as reward (one decision per candle, gamma 0, no position carried, because the service carries none). Then the
  LSTM is frozen, a new last layer is fitted to the labels by cross-entropy, and a temperature of at least 1 to a span
  of its own. Every example is shown as it was or mirrored, with one half, so that a rising market does not teach BUY.
* **Judgement.** {folds} walk-forward folds, all markets on one calendar: learn, stop, calibrate, be judged, in
  that order of time, with {purge} hours left out at each border, so that no label of a part reaches a window of the
  next. Intervals are 95 %, all by a bootstrap of whole weeks of all markets, because hourly trades overlap; where fewer
  than {weeks} weeks are touched there is none.
* **Verdict.** `edge` only where the interval of the gain of direction and that of R, one trade at a time, lie above 0,
  {trades} such trades were made, and the interval of the surplus of the answers from {confident:g} (what came, less
  what was said) does not lie wholly below {surplus:g}. An interval that is missing says no. The service asks a policy
  without an edge and watches what it says, but lets it make no signal.
* **Prior** is a model that always answers the frequencies of its training span. R is the distance to the stop; costs
  are 0.3 % of the price for both sides of a trade.
* **Direction** is the part of the gain that says which way, given that a target was reached. The rest says whether one
  is reached at all: volatility can be foreseen where direction cannot, as the negative control shows.
* One set of settings, fixed beforehand: none was chosen by looking at a test part. Each table shows every model
  that was fitted, those included that are better than the one that is served.
* An interval knows nothing of the other rows: among this many, one may look good by chance. Another seed, in the tables
  below, moves PPO's own signals more than it moves what is served.
"""

_NAMES = {"recorded": "Recorded candles: `policy.onnx`", "simulated": "Simulated market: `policy-simulated.onnx`"}
_CONTROLS = {
    "simulated": "positive: the simulated market, where there is something to find",
    "directionless": "negative: the same with its direction drawn by lot, where there is nothing",
}


def write(cards: Mapping[str, Card]) -> str:
    """The page of these cards, by market."""
    first = next(iter(cards.values()))
    parts = [
        _head(first),
        _TRAINING,
        _method(first),
        _controls(first),
        *(_market(market, card) for market, card in cards.items()),
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).strip() + "\n"


def _head(card: Card) -> str:
    rule = f"A signal needs the verdict `edge` and BUY or SELL as the likeliest, with at least {card['threshold']}."
    return _HEAD.format(meaning=textwrap.fill(f"{card['meaning']}. {rule}", 120))


def _method(card: Card) -> str:
    return _METHOD.format(
        folds=len(card["folds"]),
        purge=card["purge_hours"],
        window=WINDOW,
        weeks=LEAST_WEEKS,
        trades=LEAST_TRADES,
        confident=CONFIDENT,
        surplus=LEAST_SURPLUS,
    )


def _controls(card: Card) -> str:
    rows = [[_CONTROLS[name], *_probable(figures)] for name, figures in card["controls"].items()]
    return "\n## Controls\n\n" + _table(["market", *_PROBABLE], rows)


def _market(market: str, card: Card) -> str:
    symbols = ", ".join(f"{symbol} {count:,}" for symbol, count in card["symbols"].items())
    lines = [
        f"\n## {_NAMES[market]}\n",
        f"Verdict: **{card['verdict']}**. {_days(card['span'])}, {card['examples']:,} examples: {symbols}.\n",
        f"Data: {card['source']}. SHA-256 of inputs and labels: `{card['data_sha256']}`.\n",
        f"Of the models fitted, the one of least log-loss is: {_best(card)}.\n",
        _table(["model, all folds", *_PROBABLE], _models(card)),
        "\nEvery candle in one direction, for comparison:\n",
        _table(["rule", *_EARNED], [[name, *_earned(f)] for name, f in card["rules"].items()]),
        "\nFolds of the served model:\n",
        _table(["judged on", "learned from", "T", *_PROBABLE], [_fold(fold) for fold in card["folds"]]),
        "\nLog-loss of every model, fold by fold:\n",
        _table(["judged on", *_per_fold(card)], [_beside(fold, _per_fold(card)) for fold in card["folds"]]),
        f"\nAnswers BUY and SELL from {CONFIDENT:g}, all folds: what was said, and how often it came:\n",
        _table(["model", "answers", "said", "came", "surplus"], _confident(card)),
        *_overconfident(card["pooled"]),
        "\nWhat the served model said of BUY and SELL, and how often it came:\n",
        _table(
            ["answers", "mean said", "came"], [[f"{n:,}", f"{a:.3f}", f"{b:.3f}"] for n, a, b in card["reliability"]]
        ),
        "\nThe last fold with other seeds:\n",
        _table(
            [
                "seed",
                "log-loss",
                "better than prior",
                "signals",
                "hits",
                "R",
                "same action",
                "PPO's own signals",
                "their R",
            ],
            _seeds(card),
        ),
        *_fresh(card),
        "\nGates:\n",
        _table(["gate", "measured", "asked", ""], [_gate(gate) for gate in card["gates"]]),
    ]
    return "\n".join(lines)


_EARNED = ["signals", "hits", "hit rate", "R after costs", "one at a time", "its R"]
_PROBABLE = ["log-loss", "better than prior", "of it direction", "Brier", "ECE", "largest", *_EARNED]


def _probable(f: Card) -> list[str]:
    return [
        f"{f['log_loss']:.4f}",
        f"{f['log_loss_gain']:+.4f} {_interval(f['log_loss_gain_interval'])}",
        f"{f['direction_gain']:+.4f} {_interval(f['direction_gain_interval'])}",
        f"{f['brier']:.3f}",
        f"{f['ece']:.3f}",
        f"{f['largest_probability']:.2f}",
        *_earned(f),
    ]


def _earned(f: Card) -> list[str]:
    if not f["n"]:
        return ["0", "", "", "", "", ""]
    return [
        f"{f['n']:,}",
        f"{f['hits']:,}",
        f"{f['hit_rate']:.3f} {_interval(f['hit_interval'])}",
        f"{f['expectancy_r']:+.2f} {_interval(f['expectancy_interval'])}",
        f"{f['one_at_a_time_n']:,}",
        f"{f['one_at_a_time_r']:+.2f} {_interval(f['one_at_a_time_interval'])}",
    ]


def _models(card: Card) -> list[list[str]]:
    served = [f"**{MODELS[SERVED]}**", *_probable(card["pooled"])]
    return [served, *([name, *_probable(f)] for name, f in card["baselines"].items())]


def _best(card: Card) -> str:
    fitted = {MODELS[SERVED]: card["pooled"], **card["baselines"]}
    best: str = min(fitted, key=lambda name: float(fitted[name]["log_loss"]))
    return best


def _fold(fold: Card) -> list[str]:
    return [_days(fold["test"]), _days(fold["train"]), f"{fold['temperature']:.2f}", *_probable(fold)]


def _per_fold(card: Card) -> list[str]:
    return [MODELS[SERVED], *card["folds"][0]["baselines"]]


def _beside(fold: Card, models: Sequence[str]) -> list[str]:
    losses = {MODELS[SERVED]: fold["log_loss"], **fold["baselines"]}
    return [_days(fold["test"]), *(f"{losses[name]:.4f}" for name in models)]


def _confident(card: Card) -> list[list[str]]:
    return [_surplus(name, f) for name, f in {MODELS[SERVED]: card["pooled"], **card["baselines"]}.items()]


def _overconfident(f: Card) -> list[str]:
    interval = f["confident_surplus_interval"]
    if not interval or interval[1] >= 0:
        return []
    said, came = f["confident_said"], f["confident_came"]
    return [f"\nFrom {CONFIDENT:g} on the served model is overconfident: {said:.3f} was said, {came:.3f} came."]


def _surplus(name: str, f: Card) -> list[str]:
    if not f["confident_n"]:
        return [name, "0", "", "", ""]
    surplus = f"{f['confident_surplus']:+.3f} {_interval(f['confident_surplus_interval'])}"
    return [name, f"{f['confident_n']:,}", f"{f['confident_said']:.3f}", f"{f['confident_came']:.3f}", surplus]


def _seeds(card: Card) -> list[list[str]]:
    return [
        [
            str(one["seed"]),
            f"{one['log_loss']:.4f}",
            f"{one['log_loss_gain']:+.4f}",
            f"{one['n']:,}",
            f"{one['hits']:,}",
            "" if one["expectancy_r"] is None else f"{one['expectancy_r']:+.2f}",
            f"{one['agrees_with_first']:.1%}",
            f"{one['own_n']:,}",
            "" if one["own_expectancy_r"] is None else f"{one['own_expectancy_r']:+.2f}",
        ]
        for one in card["seeds"]
    ]


def _fresh(card: Card) -> list[str]:
    if "fresh_market" not in card:
        return []
    row = ["half a year of eight pairs", *_probable(card["fresh_market"])]
    return [
        "\nThe shipped file on a market of another seed, which nothing was learned from:\n",
        _table(["", *_PROBABLE], [row]),
    ]


def _gate(gate: Card) -> list[str]:
    return [gate["name"], f"{gate['measured']:.4g}", gate["asked"], "held" if gate["passed"] else "FAILED"]


def _interval(pair: Sequence[float] | None) -> str:
    return f"[{pair[0]:.3f}, {pair[1]:.3f}]" if pair else ""


def _days(span: Sequence[str]) -> str:
    return f"{span[0][:10]} to {span[1][:10]}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

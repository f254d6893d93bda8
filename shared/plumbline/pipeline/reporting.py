"""Once a period is over: make its digest of the rollups, keep it, and send it, once.

A late fact sets the summary back, and with it the digests: those of its day and of every later day, which may rest on
it, are made again. A digest that was sent is not sent again; the one that is kept says what is now known.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

from plumbline.domain.books import BookCell, BookCells, merge_books
from plumbline.domain.calendar import DAY, MINUTE, day_of
from plumbline.domain.digest import (
    ConfigurationLine,
    DayLine,
    Digest,
    Kind,
    RecordLine,
    SignalLine,
    TradesLine,
    first_day,
    kinds_ending,
)
from plumbline.domain.figures import GroupFigures
from plumbline.domain.performance import Cell
from plumbline.domain.strategies import Activation
from plumbline.pipeline.channels import open_channels
from plumbline.pipeline.progress import DIGEST, SUMMARISE, EnoughTime, always, move
from plumbline.ports import Cursor, Letter, Mail, Stores
from plumbline.reports import report
from plumbline.selections import BookPeriod, book

MAIL = f"{SUMMARISE}#mail"
"""Name of the cursor: every digest of a day that ended by its position was sent, or was not to be."""

TREND_DAYS = 30
COMPARED_DAYS = 90
SHOWN = 3
"""Best signals, worst signals, and configurations of each channel in a digest."""

PATIENCE = 15 * MINUTE
"""No run of a function lasts longer: whoever began to send before that, and did not say that it was done, is dead."""


def write_digests(stores: Stores, enough_time: EnoughTime = always) -> int:
    """Make the digests of every day that is summarised whole and has none yet; returns how many.

    Their cursor begins where the summary began, which makes it.
    """
    cursor, summarised = stores.cursors.read(DIGEST), stores.cursors.read(SUMMARISE)
    made = 0
    while cursor and summarised and cursor.position + DAY <= summarised.position + 1 and enough_time():
        end, version = cursor.position + DAY, cursor.version
        for digest in digests_of(stores, end):
            stores.digests.put(digest, version)
            made += 1
        cursor = move(stores.cursors, cursor, DIGEST, end)
    return made


def digests_of(stores: Stores, end: int) -> list[Digest]:
    """The digests whose periods end at the midnight `end`, from the same reads."""
    now, last_day = end - 1, day_of(end - 1)
    kinds = kinds_ending(last_day)
    reports = {
        days: report(stores, days, now, consistent=True) for days in {TREND_DAYS, *(kind.days for kind in kinds)}
    }
    traded = book(stores, COMPARED_DAYS, ["all", "channel", "snapshot"], now, consistent=True)
    configurations = tuple(_configurations(stores, traded, now))
    digests = []
    for kind in kinds:
        own, trades = reports[kind.days], _last(traded, kind.days)
        digests.append(
            Digest(
                kind=kind,
                source=stores.source,
                first_day=first_day(kind, last_day),
                last_day=last_day,
                record=RecordLine.of("all", own.overall),
                intervals=tuple(RecordLine.of(i, own.by_interval.get(i, Cell())) for i in own.by_interval),
                trades=TradesLine.of("all", trades.get("all", {}).get("all", BookCell())),
                channels=tuple(TradesLine.of(name, cell) for name, cell in sorted(trades.get("channel", {}).items())),
                best=tuple(map(SignalLine.of, own.best[:SHOWN])),
                worst=tuple(map(SignalLine.of, own.worst[:SHOWN])),
                trend=tuple(_trend(traded)),
                compared_days=COMPARED_DAYS,
                configurations=configurations,
                recommendations=tuple(reports[TREND_DAYS].recommendations),
            )
        )
    return digests


def _last(traded: BookPeriod, days: int) -> BookCells:
    """The cells of the last days of a period."""
    return merge_books(traded.by_day.get(day, {}) for day, _ in traded.daily()[-days:])


def _trend(traded: BookPeriod) -> Iterator[DayLine]:
    for day, cell in traded.daily()[-TREND_DAYS:]:
        yield DayLine(day=day, closed=cell.closed, net_pnl_usd=round(float(cell.net.pnl), 6))


def _configurations(stores: Stores, traded: BookPeriod, now: int) -> Iterator[ConfigurationLine]:
    """The last ones of each channel, the newest first."""
    for channel in open_channels(stores):
        known = [a for a in stores.strategies.activations(channel.channel_id) if a.active_from <= now]
        for activation, until in [*_latest(known).values()][: -SHOWN - 1 : -1]:
            yield ConfigurationLine(
                channel_id=channel.channel_id,
                config_hash=activation.config_hash,
                active_from=activation.active_from,
                active_until=until,
                notes=activation.notes,
                figures=GroupFigures.of(traded.cell("snapshot", activation.config_hash)),
            )


def _latest(activations: list[Activation]) -> dict[str, tuple[Activation, int | None]]:
    """The last activation of each configuration and where it ended, in order of time."""
    found: dict[str, tuple[Activation, int | None]] = {}
    for activation, following in pairwise([*activations, None]):
        if activation:
            found.pop(activation.config_hash, None)
            found[activation.config_hash] = activation, following.active_from if following else None
    return found


def mail_digests(stores: Stores, mail: Mail | None, write: Callable[[Digest], Letter], now: int) -> int:
    """Send every digest that is made and was not sent, while it is younger than its period is long; returns how many.

    At least once: a digest is claimed on the cursor before it is sent, so that of two runs one does it, and marked
    there afterwards. Twice only where a run died between the two: `PATIENCE` later the next one sends it again.
    Without `mail` there is nobody to tell, and later nothing to catch up with.
    """
    made = stores.cursors.read(DIGEST)
    if made is None:
        return 0
    cursor = stores.cursors.read(MAIL) or move(stores.cursors, None, MAIL, made.position - DAY)
    post, sent = _Post(stores, cursor), 0
    if mail is None and cursor.position < made.position:
        post.close(made.position)
    while mail is not None and post.cursor.position + DAY <= made.position:
        end = post.cursor.position + DAY
        for digest in _to_send(stores, end, now, post.sent):
            if not post.claim(digest.kind, now):
                return sent
            mail.send(write(digest))
            post.done(digest.kind)
            sent += 1
        post.close(end)
    return sent


def _to_send(stores: Stores, end: int, now: int, sent: list[str]) -> list[Digest]:
    """The digests of the day that ended then, without those that were sent or are too old to be news."""
    day = day_of(end - 1)
    news = [kind for kind in kinds_ending(day) if kind not in sent and now - end <= kind.days * DAY]
    return [digest for kind in news if (digest := stores.digests.get(kind, day))]


@dataclass(slots=True)
class _Post:
    """The cursor of the mail: its notes say which of a day's digests are `sent`, and `since` when one is being sent."""

    stores: Stores
    cursor: Cursor

    @property
    def notes(self) -> dict[str, Any]:
        return cast("dict[str, Any]", dict(self.cursor.notes))

    @property
    def sent(self) -> list[str]:
        return list(self.notes.get("sent", ()))

    def claim(self, kind: Kind, now: int) -> bool:
        """Whether this run may send; False while another one does."""
        if self.notes.get("sending") and now - int(self.notes["since"]) < PATIENCE:
            return False
        self._move(self.cursor.position, sent=self.sent, sending=kind, since=now)
        return True

    def done(self, kind: Kind) -> None:
        """It is sent."""
        self._move(self.cursor.position, sent=[*self.sent, kind])

    def close(self, end: int) -> None:
        """Nothing more is to be sent of the day that ended then."""
        self._move(end)

    def _move(self, position: int, **notes: object) -> None:
        self.cursor = move(self.stores.cursors, self.cursor, MAIL, position, **notes)

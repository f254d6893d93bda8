"""The business, one use case a module, in the order in which a fact is made.

    exchange ── collect_candles ──> candles ── generate_signals ──> signals ──┬── check_outcomes ──> outcomes ──┐
                                                    ^                         └── track_trades ────> trades ────┤
                       an outside source ── track_signal                                                        │
                                                                               rollups <── summarise_day ───────┘
    signals and trades ── tell ──> feed ── deliver ──> everybody who listens

Each scheduled use case is a cursor over time: it does everything that became due between its cursor and `now`, then
moves the cursor. How far it may go is bounded by the cursors of those it reads from, so it never passes over a fact
that is still being written. Facts are put-if-absent, so a run that is late, doubled or cut off anywhere leaves the
same record as one that was not.

Whoever writes a fact behind a cursor that reads it (a candle that fills a hole, a signal computed after an outage)
writes the fact, sets the reader's cursor back, and only then moves its own.

Import the module of a use case, not this package: only `generating` needs the indicators' library.
"""

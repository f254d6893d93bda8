/* The rules of plumbline.domain.exits as anyone would write them in C: trade by trade, candle by candle. */

#include <math.h>
#include <stdint.h>

enum { TARGET = 1, STOP = -1, EXPIRED = 0, OPEN = 2, UNKNOWN = -2 };

/* First index with times[index] >= at. */
static int64_t from(const int64_t *times, int64_t n, int64_t at) {
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (times[middle] < at) low = middle + 1; else high = middle;
    }
    return low;
}

void resolve(int64_t n, int64_t step, int64_t stale, const int64_t *times, const double *open, const double *high,
             const double *low, const double *close, int64_t trades, const int64_t *opened, const int64_t *deadline,
             const int64_t *side, const double *stop, const double *target, int64_t known_until, int8_t *code,
             int64_t *entry, int64_t *last, double *price, int8_t *gapped, int8_t *ambiguous, double *alternative,
             double *best, double *worst) {
    for (int64_t t = 0; t < trades; t++) {
        int64_t until = deadline[t] < known_until ? deadline[t] : known_until;
        int64_t first = from(times, n, opened[t]), end = from(times, n, until - step + 1);
        int is_long = side[t] > 0, over = deadline[t] <= known_until;
        double s = stop[t], g = target[t], lowest = INFINITY, highest = -INFINITY;
        code[t] = over ? UNKNOWN : OPEN;
        entry[t] = first < end ? first : -1;
        last[t] = -1;
        price[t] = alternative[t] = best[t] = worst[t] = NAN;
        gapped[t] = ambiguous[t] = 0;
        int64_t k = first;
        for (; k < end; k++) {
            int stopped = is_long ? low[k] <= s : high[k] >= s, reached = is_long ? high[k] >= g : low[k] <= g;
            if (stopped | reached) {
                int fell = is_long ? open[k] <= s : open[k] >= s, rose = is_long ? open[k] >= g : open[k] <= g;
                int gained = reached && !fell && (rose || !stopped);
                code[t] = gained ? TARGET : STOP;
                gapped[t] = fell || rose;
                ambiguous[t] = stopped && reached && !gapped[t];
                price[t] = gapped[t] ? open[k] : gained ? g : s;
                if (ambiguous[t]) alternative[t] = g;
                last[t] = k;
                break;
            }
            if (low[k] < lowest) lowest = low[k];
            if (high[k] > highest) highest = high[k];
            if (k + 1 == end && over && deadline[t] - (times[k] + step) <= (stale > step - 1 ? stale : step - 1)) {
                code[t] = EXPIRED;
                price[t] = close[k];
                last[t] = k;
            }
        }
        if (first >= end) continue;
        if (last[t] >= 0) {
            double fill = price[t], at = open[last[t]];
            if (fill < lowest) lowest = fill;
            if (at < lowest) lowest = at;
            if (fill > highest) highest = fill;
            if (at > highest) highest = at;
        }
        best[t] = is_long ? highest : lowest;
        worst[t] = is_long ? lowest : highest;
    }
}

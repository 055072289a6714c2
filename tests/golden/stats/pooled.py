#!/usr/bin/env python3
"""Differences of OneIG-Bench's text score between two made runs: exchanges of items and resampled items, the score made anew.

    pip install numpy scipy
    python3 tests/golden/stats/pooled.py > tests/golden/stats/pooled.json
"""
import itertools, json
import numpy as np
from scipy.stats import norm

random = np.random.default_rng(20260102)


def score(sums):
    n, ed, cr, matched, reference, limit = np.moveaxis(np.asarray(sums, float), -1, 0)
    worst, mean = limit / n, ed / n
    return 1 - np.minimum(worst, mean) * (1 - cr / n) * (1 - matched / reference) / worst


def difference(pairs):
    return score(pairs[:, 1].sum(0)) - score(pairs[:, 0].sum(0))


def item(bad):
    reference = int(random.integers(4, 30))
    missed = int(min(reference, random.poisson(bad * reference)))
    return [1, missed * int(random.integers(3, 9)), float(missed == 0), reference - missed, reference, 100]


cases = []
for n, bad, worse in [(12, 0.15, 0.3), (40, 0.2, 0.24), (80, 0.1, 0.16)]:
    pairs = []
    for _ in range(n):
        before = item(bad)
        after = item(worse)
        after[3], after[4] = min(after[3], before[4]), before[4]
        after[2] = float(after[3] == after[4])
        pairs.append([before, after])
    pairs = np.array(pairs, float)
    observed = difference(pairs)
    if n <= 12:
        swaps = np.array(list(itertools.product([0, 1], repeat=n)))
    else:
        swaps = random.integers(0, 2, (200_000, n))
    step = pairs[:, 1] - pairs[:, 0]
    moved = swaps @ step
    exchanged = score(pairs[:, 1].sum(0) - moved) - score(pairs[:, 0].sum(0) + moved)
    p = float(np.mean(np.abs(exchanged) >= abs(observed) - 1e-12))
    drawn = random.integers(0, n, (200_000, n))
    values = np.sort(score(pairs[:, 1][drawn].sum(1)) - score(pairs[:, 0][drawn].sum(1)))
    low, high = np.quantile(values, [0.025, 0.975])
    without = np.array([difference(np.delete(pairs, at, 0)) for at in range(n)])
    influence = without.mean() - without
    acceleration = (influence**3).sum() / (6 * (influence**2).sum() ** 1.5)
    bias = norm.ppf(np.mean(values < observed))
    places = [norm.cdf(bias + (bias + z) / (1 - acceleration * (bias + z))) for z in norm.ppf([0.025, 0.975])]
    bca_low, bca_high = np.quantile(values, places)
    cases.append({"pairs": pairs.tolist(), "before": float(score(pairs[:, 0].sum(0))), "difference": float(observed), "exact": n <= 12, "p": p,
                  "low": float(low), "high": float(high), "bca_low": float(bca_low), "bca_high": float(bca_high)})
print(json.dumps(cases, separators=(",", ":")).replace("},{", "},\n{"))

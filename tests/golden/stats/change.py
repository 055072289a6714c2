#!/usr/bin/env python3
"""Cuts of made series: by ruptures's PELT where all errors are equal, by trying every way to cut where they are not.

    pip install numpy scipy ruptures
    python3 tests/golden/stats/change.py > tests/golden/stats/change.json
"""
import itertools, json
import numpy as np, ruptures
from scipy.stats import norm

LEVEL = 0.05
random = np.random.default_rng(20260101)


def penalty(n):
    return norm.ppf(1 - LEVEL / (2 * (n * (n - 1) / 2))) ** 2


def cost(values, weights):
    mean = np.average(values, weights=weights)
    return float(np.sum(weights * (values - mean) ** 2))


def exhaustive(values, variances, pen):
    n, weights, best = len(values), 1 / variances, None
    for count in range(n):
        for cuts in itertools.combinations(range(1, n), count):
            edges = [0, *cuts, n]
            total = sum(cost(values[a:b], weights[a:b]) for a, b in zip(edges, edges[1:])) + pen * count
            if best is None or total < best[0] - 1e-12:
                best = total, list(cuts)
    return best[1]


cases = []
for index in range(120):
    equal = index % 2 == 0
    n = int(random.integers(5, 60)) if equal else int(random.integers(2, 13))
    variances = np.full(n, 1.0) if equal else random.uniform(0.2, 3.0, n)
    level, levels = 0.0, []
    for at in range(n):
        level = random.normal(0, 4) if random.random() < 0.12 else level
        levels.append(level)
    values = np.round(np.array(levels) + random.normal(0, np.sqrt(variances)), 6)
    variances = np.round(variances, 6)
    pen = penalty(n)
    if equal:
        cuts = ruptures.Pelt(model="l2", min_size=1, jump=1).fit(values).predict(pen=pen)[:-1]
    else:
        cuts = exhaustive(values, variances, pen)
    cases.append({"values": values.tolist(), "variances": variances.tolist(), "level": LEVEL, "penalty": pen, "cuts": [int(c) for c in cuts]})
print(json.dumps(cases, indent=None, separators=(",", ":")).replace("},{", "},\n{"))

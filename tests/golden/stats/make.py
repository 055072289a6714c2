"""Reference values for src/stats, from SciPy and statsmodels: writes cases.json beside this file.

    pip install numpy==2.* scipy==1.17.1 statsmodels==0.15.0
    python make.py

The bootstrap draws the same resamples as the program (SplitMix64, written again here), and hands their values to
scipy.stats.bootstrap, which then computes its own percentiles, bias and acceleration from them.
"""

import itertools
import json
import pathlib
from types import SimpleNamespace

import numpy
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import normal_power, normal_sample_size_one_tail
from statsmodels.stats.proportion import proportion_confint

M64 = (1 << 64) - 1


class SplitMix64:
    def __init__(self, seed, stream):
        self.state = seed
        self.state = self.next() ^ (stream * 0xD1B54A32D192ED03 & M64)
        self.state = self.next()

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & M64
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & M64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & M64
        return z ^ (z >> 31)

    def draws(self, n):
        """n places below n: two from each step, the upper half of the bits first."""
        places = []
        while len(places) < n:
            bits = self.next()
            places += [((bits >> 32) * n) >> 32, ((bits & 0xFFFFFFFF) * n) >> 32]
        return places[:n]


def ratio(clusters):
    clusters = numpy.asarray(clusters)
    return clusters[..., 0].sum(-1) / clusters[..., 1].sum(-1)


def resampled(strata, count, seed):
    values = []
    for index in range(count):
        random = SplitMix64(seed, index)
        values.append(numpy.mean([ratio(numpy.asarray(s)[random.draws(len(s))]) for s in strata]))
    return numpy.array(values)


def bootstrap_case(strata, statistic, data, paired, count, seed):
    values = resampled(strata, count, seed)
    given = SimpleNamespace(bootstrap_distribution=values)
    case = {"strata": strata, "resamples": count, "seed": seed}
    for method in ["percentile", "bca"]:
        for level in [0.95, 0.8]:
            found = stats.bootstrap(
                data, statistic, n_resamples=0, paired=paired, method=method, confidence_level=level,
                vectorized=True, bootstrap_result=given,
            ).confidence_interval
            case.setdefault(method, []).append([level, found.low, found.high])
    return case


def bootstraps(random):
    scores = numpy.round(random.beta(4, 1, 30), 3)
    mean = [[[float(x), 1.0] for x in scores]]
    yield bootstrap_case(mean, lambda x, axis: x.mean(axis), (scores,), False, 400, 7)
    reference = random.integers(3, 40, 25)
    matched = random.binomial(reference, 0.8)
    pairs = [[[float(m), float(r)] for m, r in zip(matched, reference)]]
    yield bootstrap_case(pairs, lambda m, r, axis: m.sum(axis) / r.sum(axis), (matched, reference), True, 400, 8)
    groups = [numpy.round(random.random(n), 3) for n in (7, 12, 20)]
    strata = [[[float(x), 1.0] for x in group] for group in groups]
    yield bootstrap_case(
        strata, lambda a, b, c, axis: (a.mean(axis) + b.mean(axis) + c.mean(axis)) / 3, tuple(groups), False, 400, 9
    )


def standard_errors(random):
    scores = [float(x) for x in numpy.round(random.random(17), 3)]
    yield {"strata": [[[x, 1.0] for x in scores]], "standard_error": stats.sem(scores)}
    groups = [[float(x) for x in numpy.round(random.random(n), 3)] for n in (5, 9)]
    yield {
        "strata": [[[x, 1.0] for x in group] for group in groups],
        "standard_error": float(numpy.hypot(*[stats.sem(group) for group in groups]) / 2),
    }


def proportions():
    for k, n in [(0, 10), (1, 10), (7, 12), (50, 100), (553, 553), (440, 553), (3, 2000)]:
        for level in [0.95, 0.9]:
            yield {
                "successes": k, "trials": n, "level": level,
                "wilson": proportion_confint(k, n, 1 - level, "wilson"),
                "clopper_pearson": list(stats.binomtest(k, n).proportion_ci(level, "exact")),
            }


def flips():
    for gained, lost in [(0, 0), (0, 5), (3, 9), (12, 4), (40, 71), (300, 281)]:
        n = gained + lost
        both, lower, upper = 1.0, 1.0, 1.0
        if n:
            both = stats.binomtest(gained, n).pvalue
            assert abs(both - mcnemar([[0, gained], [lost, 0]], exact=True).pvalue) < 1e-12
            lower = stats.binomtest(gained, n, alternative="less").pvalue
            upper = stats.binomtest(gained, n, alternative="greater").pvalue
        case = {"gained": gained, "lost": lost, "lower": lower, "upper": upper, "both": both}
        if n and lost:
            low, high = stats.binomtest(gained, n).proportion_ci(0.95, "exact")
            case["odds_ratio"] = [gained / lost, low / (1 - low), high / (1 - high)]
        yield case


def exchanges(random):
    """All exchanges of a paired test; the plain one by SciPy, the others counted."""
    before = numpy.round(random.random(11), 2)
    after = numpy.round(numpy.clip(before + random.normal(-0.1, 0.2, 11), 0, 1), 2)
    difference = lambda a, b, axis: b.mean(axis) - a.mean(axis)
    by = lambda alternative: stats.permutation_test(
        (before, after), difference, permutation_type="samples", n_resamples=numpy.inf, alternative=alternative
    ).pvalue
    yield {
        "strata": [[[float(a), 1.0, float(b), 1.0] for a, b in zip(before, after)]],
        "lower": by("less"), "upper": by("greater"), "both": by("two-sided"),
    }
    yield counted([[pair(random) for _ in range(4)], [pair(random) for _ in range(6)]])
    yield counted([[pair(random) for _ in range(9)]])


def pair(random):
    n, m = random.integers(2, 9, 2)
    return [float(random.integers(0, n + 1)), float(n), float(random.integers(0, m + 1)), float(m)]


def counted(strata):
    sizes = [len(s) for s in strata]
    value = lambda s: ratio(s[:, 2:]) - ratio(s[:, :2])
    values = []
    for bits in itertools.product([False, True], repeat=sum(sizes)):
        bits, means = list(bits), []
        for stratum in strata:
            swap, bits = bits[: len(stratum)], bits[len(stratum) :]
            means.append(value(numpy.array([p[2:] + p[:2] if s else p for p, s in zip(stratum, swap)])))
        values.append(numpy.mean(means))
    values, observed, close = numpy.array(values), values[0], 1e-9
    return {
        "strata": strata,
        "lower": numpy.mean(values <= observed + close),
        "upper": numpy.mean(values >= observed - close),
        "both": numpy.mean(abs(values) >= abs(observed) - close),
    }


def exact_power(n, lost, gained, level, one_sided):
    """McNemar's exact test: the sum over the number of flips and over their split."""
    less, flips, tail = min(lost, gained), lost + gained, level if one_sided else level / 2
    total = 0.0
    for m in range(1, n + 1):
        significant = stats.binom.cdf(numpy.arange(m + 1), m, 0.5) <= tail
        if significant.any():
            k = numpy.flatnonzero(significant).max()
            total += stats.binom.pmf(m, n, flips) * stats.binom.cdf(k, m, less / flips)
    return total


def powers():
    for level, power, one_sided in [(0.05, 0.8, False), (0.05, 0.9, True), (0.01, 0.5, False)]:
        tail = level if one_sided else level / 2
        plan = {"level": level, "power": power, "one_sided": one_sided}
        plan["of_mean"] = [
            [d, n, normal_power(d, n, tail, "larger")] for d, n in [(0.1, 200), (0.3, 40), (0.05, 3000)]
        ]
        plan["items"] = [
            [d, int(numpy.ceil(normal_sample_size_one_tail(d, power, tail)))] for d in (0.11, 0.3, 0.57)
        ]
        plan["of_flips"] = [
            [n, lost, gained, exact_power(n, lost, gained, level, one_sided)]
            for n, lost, gained in [(60, 0.15, 0.02), (200, 0.15, 0.05), (553, 0.1, 0.07), (12, 0.5, 0.0)]
        ]
        yield plan


def main():
    random = numpy.random.default_rng(20231017)
    p = [0.01, 0.04, 0.03, 0.005, 0.2, 0.04]
    cases = {
        "bootstrap": list(bootstraps(random)),
        "jackknife": list(standard_errors(random)),
        "proportion": list(proportions()),
        "mcnemar": list(flips()),
        "permutation": list(exchanges(random)),
        "holm": {"p": p, "adjusted": list(multipletests(p, method="holm")[1])},
        "power": list(powers()),
    }
    text = json.dumps(cases, indent=None, separators=(",", ":"), default=float)
    text = text.replace('},{"', '},\n{"').replace('],"', '],\n"')
    pathlib.Path(__file__).with_name("cases.json").write_text(text + "\n")


main()

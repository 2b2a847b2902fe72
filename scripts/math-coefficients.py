"""Prints the polynomial coefficients of ir/math/*.ts: `python3 scripts/math-coefficients.py` (a development tool; needs mpmath).

Each polynomial is the minimax approximation of its function by the exchange algorithm of Remez in 100 digits, with respect to the
given weight, its coefficients then rounded to float64. Printed with each: the largest weighted error of the rounded polynomial.
"""
from mpmath import mp, mpf, matrix, lu_solve, cos, pi, exp, log, sqrt, sin, erf, erfc, atanh, nstr, floor, log as ln, expm1

mp.dps = 100


def remez(f, degree, low, high, weight=lambda x: mpf(1), rounds=12, grid=1200):
    """Coefficients c with max |weight (c(x) - f(x))| on [low, high] as small as degree + 1 of them make it."""
    n = degree + 2
    low, high = mpf(low), mpf(high)
    nodes = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / (n - 1)) for i in range(n)]
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * (i + mpf(1) / 2) / grid) for i in range(grid)]
    values = [(x, f(x), weight(x)) for x in points]
    c = None
    for _ in range(rounds):
        a = matrix(n, n)
        b = matrix(n, 1)
        for i, x in enumerate(nodes):
            for k in range(n - 1):
                a[i, k] = x**k
            a[i, n - 1] = (-1) ** i / weight(x)
            b[i] = f(x)
        c = list(lu_solve(a, b))[: n - 1]
        errors = [(w * (horner(c, x) - y), x) for x, y, w in values]
        # One extremum for each run of errors of one sign.
        runs = []
        for e, x in errors:
            if runs and (runs[-1][0] > 0) == (e > 0):
                if abs(e) > abs(runs[-1][0]):
                    runs[-1] = (e, x)
            else:
                runs.append((e, x))
        while len(runs) > n:
            runs.pop(0 if abs(runs[0][0]) < abs(runs[-1][0]) else -1)
        if len(runs) < n:
            break
        nodes = [x for _, x in runs]
    rounded = [mpf(float(k)) for k in c]
    error = max(abs(w * (horner(rounded, x) - y)) for x, y, w in values)
    return rounded, error


def horner(c, x):
    total = mpf(0)
    for k in reversed(c):
        total = total * x + k
    return total


def show(name, result):
    c, error = result
    print(f"{name}: error 2^{nstr(ln(error, 2), 4)}\n  [{', '.join(repr(float(k)) for k in c)}]")


def relative(f):
    return lambda x: 1 / f(x)


def exp2_slope(f):
    return log(2) if f == 0 else expm1(f * log(2)) / f


def atanh_tail(z):
    s = sqrt(z)
    return mpf(1) / 3 if z < mpf(10) ** -25 else (atanh(s) / s - 1) / z


def erf_ratio(z):
    x = sqrt(z)
    return 2 / sqrt(pi) if z < mpf(10) ** -40 else erf(x) / x


K = mpf(5)
END = mpf(15)


def tail(u):
    a = K * (1 + u) / (1 - u)
    return (a + K) * exp(a * a / 2) * erfc(a / sqrt(2)) / 2


def sin_tail(z):
    r = sqrt(z)
    return -mpf(1) / 6 if z < mpf(10) ** -25 else (sin(r) / r - 1) / z


def cos_tail(z):
    r = sqrt(z)
    return mpf(1) / 24 if z < mpf(10) ** -12 else (cos(r) - 1 + z / 2) / z**2


if __name__ == "__main__":
    half = mpf(1) / 2
    Z = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2 * mpf("1.0001")
    R = (pi / 4) ** 2 * mpf("1.001")
    tiny = mpf(10) ** -9
    print("exponential.ts")
    show("EXP2_SLOPE", remez(exp2_slope, 6, -half, half, lambda f: max(abs(f), tiny) / mpf(2) ** f))
    show("EXPM1_SLOPE", remez(exp2_slope, 7, -half, half, relative(exp2_slope)))
    print("logarithm.ts")
    show("ATANH_TAIL", remez(atanh_tail, 4, 0, Z, lambda z: max(z, tiny)))
    print("normal.ts")
    show("ERF_SMALL", remez(erf_ratio, 9, 0, 1, relative(erf_ratio)))
    show("NORMAL_TAIL", remez(tail, 13, -1, (END - K) / (END + K), relative(tail)))
    print("trigonometry.ts")
    show("SIN_TAIL", remez(sin_tail, 4, 0, R, lambda z: max(z, tiny)))
    show("COS_TAIL", remez(cos_tail, 3, 0, R, lambda z: max(z * z, tiny) / cos(sqrt(z))))
    turn = 1 / (2 * pi)
    pieces = [int(floor(turn * mpf(2) ** (29 * (k + 1)))) % 2**29 for k in range(6)]
    print(f"TURNS\n  {pieces}")
    rest = [turn - sum(mpf(p) / mpf(2) ** (29 * (k + 1)) for k, p in enumerate(pieces[:n])) for n in (3, 4, 5, 6)]
    print(f"REST\n  {[float(x) for x in rest]}")
    print("power.ts")
    show("ATANH_TAIL", remez(atanh_tail, 7, 0, Z, lambda z: max(z, tiny)))
    show("EXP2_SLOPE", remez(exp2_slope, 11, -half, half, relative(exp2_slope)))
    two = 2 / log(2)
    high = floor(two * 2**24) / 2**24
    print(f"TWO_LOG2E\n  {float(high)!r} {float(two - high)!r}")

"""Estimators: pure arrays in, frozen records out.

`least_squares` holds the fit that most of them rest on; `effects` one file an estimator of a contrast of
arms; `missing`, `several` and `meaning` what stands beside an effect: answers that are missing, several
claims at once, how large is large; `looks` what may be claimed on the way and afterwards, `synthesis` what
several studies say together. `registry` finds an estimator by the name that a protocol gives it.
"""

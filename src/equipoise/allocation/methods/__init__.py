"""The methods of allocation, a module each, by the protocol's names for them."""

from equipoise.allocation.methods.blocked import (
    chances_blocked,
    draw_blocked,
    draw_complete,
    simulate_blocked,
    simulate_complete,
    together_blocked,
    together_complete,
)
from equipoise.allocation.methods.contract import Acceptance, Arrival, ArrivalPlan, Method
from equipoise.allocation.methods.minimised import arrive_minimised, draw_minimised, simulate_minimised
from equipoise.allocation.methods.permuted_blocks import (
    arrive_permuted_blocks,
    draw_permuted_blocks,
    simulate_permuted_blocks,
)
from equipoise.allocation.methods.rerandomised import (
    accept_rerandomised,
    draw_rerandomised,
    even_rerandomised,
    simulate_rerandomised,
)
from equipoise.allocation.methods.simple import (
    arrive_simple,
    chances_simple,
    draw_simple,
    simulate_simple,
    together_simple,
)

__all__ = ["METHODS", "Acceptance", "Arrival", "ArrivalPlan", "Method"]

METHODS = {
    "simple": Method(draw_simple, simulate_simple, chances_simple, arrive_simple, together=together_simple),
    "complete": Method(draw_complete, simulate_complete, chances_blocked, together=together_complete),
    "blocked": Method(draw_blocked, simulate_blocked, chances_blocked, together=together_blocked),
    "permuted-blocks": Method(draw_permuted_blocks, simulate_permuted_blocks, None, arrive_permuted_blocks),
    "minimised": Method(draw_minimised, simulate_minimised, None, arrive_minimised),
    "rerandomised": Method(
        draw_rerandomised, simulate_rerandomised, even=even_rerandomised, accept=accept_rerandomised
    ),
    "matched-pairs": Method(draw_blocked, simulate_blocked, chances_blocked, together=together_blocked),
}

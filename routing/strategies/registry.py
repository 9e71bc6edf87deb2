"""Every strategy by the name that a policy uses. A new one is a file beside this and a line here."""

from routing.strategies.candidate import Strategy
from routing.strategies.least_loaded import LEAST_LOADED
from routing.strategies.performance import PERFORMANCE
from routing.strategies.round_robin import ROUND_ROBIN
from routing.strategies.weighted import WEIGHTED

STRATEGIES: dict[str, Strategy] = {
    "round_robin": ROUND_ROBIN,
    "weighted": WEIGHTED,
    "least_loaded": LEAST_LOADED,
    "performance": PERFORMANCE,
}

"""The lowest load against limit, even when rotation says otherwise (MOD-7)."""

from routing.strategies.candidate import Strategy, load_share, own_weights

LEAST_LOADED = Strategy(own_weights, load_share, "lowest load against limit")

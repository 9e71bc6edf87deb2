"""Shares by weight (MOD-2): among those owed anything, whoever's next turn falls due first.

Source: the chairman assignment problem, Tijdeman 1980; earliest deadline first over released turns keeps everyone
less than one lead from the exact share, which the usual smooth weighting misses.
"""

from routing.strategies.candidate import Strategy, due_first, own_weights

WEIGHTED = Strategy(own_weights, due_first, "turns by weight; whoever is owed and falls due first")

"""Many files: which ones, in which order, on which workers, and what became of each.

inputs ──► outputs ──► tasks ──► executor (plugin) ──► outcomes, in the order of the inputs
                          └── ledger: what is begun, what is done ──┘
"""

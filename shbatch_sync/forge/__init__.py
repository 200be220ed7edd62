"""The forge that a change is reviewed on; the only other place than `api` that talks HTTP."""

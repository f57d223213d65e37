"""Instruction sets, one package each.  Nothing outside a package says which one runs."""

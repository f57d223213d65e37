"""`python -m machemu`: the command."""

from machemu.cli.main import main

main()

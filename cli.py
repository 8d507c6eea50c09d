"""The command line in a checkout: `python cli.py ...` is `layergraph ...`."""

from layergraph.__main__ import main

if __name__ == "__main__":
    main()

"""`python -m pgaudience` is the command `pgaudience`."""

from pgaudience.cli import main

if __name__ == "__main__":
    main()

"""The program of the demo: Python calls C, and C reads address 0."""

import ctypes
import sys


def read_text(address, depth):
    """Go a few calls deep, so that there is a Python stack to show."""
    if depth:
        return read_text(address, depth - 1)
    return ctypes.string_at(address)


def main():
    with open("/crash/go") as signal:
        signal.readline()
    orders = {"lemons": 3, "limes": 5}
    sys.stdout.write(f"{sum(orders.values())} orders, and now the crash\n")
    read_text(0, depth=3)


main()

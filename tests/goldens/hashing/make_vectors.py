"""Writes xxh64_vectors.json: XXH64 of ids as Handpick hashes them, computed by the python3-xxhash package.

An integer is hashed as its 8 little-endian bytes (two's complement), a string as its UTF-8 bytes.
"""

import json
import os
import struct

import xxhash

INTEGERS = [0, 1, -1, 7, 255, 256, 65536, 193609, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, -2**63]
# Lengths on both sides of the algorithm's blocks of 4, 8 and 32 bytes.
STRINGS = ["", "a", "abc", "abcd", "Action", "Sci-Fi\u00e9", "user:0000000000012", "0123456789abcdef0123456789abcde",
           "0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef!", "x" * 100]
SEEDS = [0, 7, 2**64 - 1]


def main():
    vectors = []
    for seed in SEEDS:
        vectors += [{"id": i, "seed": seed, "hash": xxhash.xxh64_intdigest(struct.pack("<q", i), seed)}
                    for i in INTEGERS]
        vectors += [{"id": s, "seed": seed, "hash": xxhash.xxh64_intdigest(s.encode(), seed)} for s in STRINGS]
    lines = ",\n".join("  " + json.dumps(vector, ensure_ascii=False) for vector in vectors)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "xxh64_vectors.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()

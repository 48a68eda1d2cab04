"""What a log of values beside the keys would write, if it may take no more room than compaction leaves.

Values go into files of 32 at a flush; the file with the most garbage is copied, without it, whenever the
room that all take exceeds the bound. Prints the bytes written for each byte put: log, flush and copies.
`value_sizes` measures what compaction writes instead.
"""

import random


def run(bound: float, skewed: bool, keys: int = 20_000, file_size: int = 32) -> float:
    rng = random.Random(1)
    files: dict[int, list[int]] = {}
    live: dict[int, int] = {}
    at: dict[int, int] = {}
    next_file, copied, stored = 0, 0, 0
    puts = keys * 6

    def write(values: list[int]) -> None:
        nonlocal next_file, stored
        next_file += 1
        files[next_file] = values
        live[next_file] = len(values)
        stored += len(values)
        for key in values:
            if key in at:
                live[at[key]] -= 1
            at[key] = next_file

    waiting: list[int] = []
    for number in range(puts):
        if number < keys:
            key = number
        elif skewed and rng.random() < 0.8:
            key = rng.randrange(keys // 5)
        else:
            key = rng.randrange(keys)
        waiting.append(key)
        if len(waiting) == file_size:
            write(list(dict.fromkeys(waiting)))
            waiting = []
            while stored > bound * len(at):
                victim = min(live, key=lambda file: live[file] / len(files[file]))
                kept = [key for key in files[victim] if at[key] == victim]
                stored -= len(files.pop(victim))
                del live[victim]
                for key in kept:
                    del at[key]
                copied += len(kept)
                if kept:
                    write(kept)
    return 2 + copied / puts


for bound in (1.2, 1.4, 2.0):
    even, skewed = run(bound, False), run(bound, True)
    print(f"room {bound:.1f}: {even:.2f} written for each byte, {skewed:.2f} if a fifth gets four fifths")

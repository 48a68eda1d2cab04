"""What the clients know: every write that was tried, which ones were acknowledged, what was seen.

A slot is one key with one writer. Its history since the last verified state is a list of states;
the writer adds a state before it sends the write. After a crash the slot has to be in one of the
states from the newest one that was acknowledged, or that anybody was shown, to the last one tried.
A state is a version number, or None where the item is absent, and a version determines every byte
of its item: an item that is half there fits no version.
"""

import hashlib
import random
import threading

# How often, and between which sizes in bytes: mostly small, sometimes beyond a data block, now and
# then near the limit of an item.
SIZES = [(80, 0, 300), (15, 1_000, 8_000), (4, 20_000, 60_000), (1, 300_000, 350_000)]


def item_of(seed, key, version):
    """The item that a version of a key is, attribute by attribute."""
    rng = random.Random(f"{seed}/{key}/{version}")
    _, least, most = rng.choices(SIZES, weights=[weight for weight, _, _ in SIZES])[0]
    payload = rng.randbytes(rng.randint(least, most))
    writer, slot = key
    item = {
        "pk": {"S": f"writer {writer}"},
        "sk": {"N": str(slot)},
        "version": {"N": str(version)},
        "payload": {"B": payload},
        "digest": {"S": hashlib.sha256(payload).hexdigest()},
        "stamp": {"N": str(rng.randint(-1000, 1000))},
    }
    if rng.random() < 0.8:  # the others are not in the global index
        item["group"] = {"S": f"group {rng.randint(0, 4)}"}
    return item


class Slot:
    """The history of one key."""

    def __init__(self, state=None):
        self.lock = threading.Lock()
        self.states = [state]
        self.certain = 0

    def tried(self, state):
        """Before a write is sent. Returns what to acknowledge it by."""
        self.states.append(state)
        return len(self.states) - 1

    def acknowledged(self, number):
        """After it was answered."""
        with self.lock:
            self.certain = max(self.certain, number)

    def seen(self, version):
        """After somebody was shown the version."""
        self.acknowledged(self.states.index(version))

    def possible(self):
        """The states that a crash may leave."""
        return self.states[self.certain :]

    def settle(self, state):
        """After a crash: what was read back is what there is from now on."""
        assert state in self.possible()
        self.states, self.certain = [state], 0


class Counter:
    """A counter that everybody adds one to."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tried = self.certain = 0

    def trying(self):
        with self.lock:
            self.tried += 1

    def shown(self, value):
        with self.lock:
            self.certain = max(self.certain, value)

    def settle(self, value):
        assert self.certain <= value <= self.tried, (
            f"the counter is {value}: at least {self.certain} was shown, {self.tried} were tried"
        )
        self.tried = self.certain = value

"""Users as the states of a small recurrent network that is guided by an outcome: vectors made elsewhere.

    python examples/sequence_vectors.py events.csv.gz 2011-09-01
    pgaudience migrate --model tfidf
    pgaudience load events.csv.gz --until 2011-09-01 --users returns.csv
    pgaudience --schema taste migrate --of audience --model behaviour --dimensions 64
    pgaudience --schema taste train
    pgaudience --schema states migrate --of audience --model vectors --dimensions 32
    pgaudience --schema states load --vectors states.jsonl
    pgaudience compare audience taste states --group '{"returns": "yes"}'

A GRU reads what a user did before a day, and after how long, and learns whether the user comes back from that day on.
Its state is what it has to know of the user for that. Half of the users are learned from; the states of the others
alone are written, and since spaces are compared on the users whom all of them have, the outcome that has guided it
flatters nobody.

Of the gift shop of online-retail (3,317 users before September, 59 % came back) it tells who comes back with an AUC of
.678. Look-alikes of those who did are found 1.54 times oftener than by chance, as often as by the words of what they
bought (tfidf, 1.54) and oftener than by behaviour (1.30). Of what else people have its segments say nothing: -.02 bits,
where words have .15 and behaviour .24. Such a space is good for its outcome, and for that alone.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

DIMENSIONS = 32
LONGEST = 100
EPOCHS = 6


class States(nn.Module):
    """Reads entries and the days after each, shape (users, events); entry 0 is none. The state of a user is a row."""

    def __init__(self, entries: int) -> None:
        super().__init__()
        self.entry = nn.Embedding(entries + 1, DIMENSIONS, padding_idx=0)
        self.dropout = nn.Dropout(0.5)
        self.reader = nn.GRU(DIMENSIONS + 1, DIMENSIONS, batch_first=True)
        self.outcome = nn.Linear(DIMENSIONS, 1)

    def forward(self, entries: torch.Tensor, days: torch.Tensor) -> torch.Tensor:
        events = torch.cat([self.dropout(self.entry(entries)), days.log1p()[..., None]], dim=2)
        lengths = (entries > 0).sum(dim=1)
        return self.reader(pack_padded_sequence(events, lengths, batch_first=True, enforce_sorted=False))[1][0]


def read(path: Path, day: datetime) -> tuple[list[str], torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the users who did something before the day, what they did last, the days after it, and who came back."""
    done: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            done[row["user_id"]].append((datetime.fromisoformat(row["occurred_at"]), row["entry"]))
    numbers: dict[str, int] = {}
    users, entries, days, returns = [], [], [], []
    for user, events in done.items():
        before = [event for event in sorted(events) if event[0] < day][-LONGEST:]
        if before:
            users.append(user)
            entries.append(torch.tensor([numbers.setdefault(entry, len(numbers) + 1) for _, entry in before]))
            times = [*(at for at, _ in before), day]
            days.append(torch.tensor([(times[n + 1] - times[n]).total_seconds() / 86_400 for n in range(len(before))]))
            returns.append(float(any(at >= day for at, _ in events)))
    return users, pad_sequence(entries, batch_first=True), pad_sequence(days, batch_first=True), torch.tensor(returns)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write states.jsonl, and returns.csv: who came back.")
    parser.add_argument("events", type=Path, help="user_id, entry, occurred_at; CSV, packed by gzip")
    parser.add_argument("day", type=datetime.fromisoformat, help="as 2011-09-01")
    asked = parser.parse_args()
    torch.manual_seed(0)
    users, entries, days, returns = read(asked.events, asked.day)
    learned, others = torch.randperm(len(users)).tensor_split(2)
    model = States(int(entries.max()))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(EPOCHS):
        for batch in learned[torch.randperm(len(learned))].split(64):
            scores = model.outcome(model(entries[batch], days[batch]))[:, 0]
            loss = nn.functional.binary_cross_entropy_with_logits(scores, returns[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        states = model.eval()(entries[others], days[others])
        scores = model.outcome(states)[:, 0]
    came, stayed = scores[returns[others] > 0], scores[returns[others] == 0]
    print(f"{len(users):,} users, {returns.mean():.0%} came back; AUC {(came[:, None] > stayed).float().mean():.3f}")
    with Path("states.jsonl").open("w") as file:
        for at, state in zip(others.tolist(), states.tolist(), strict=True):
            file.write(json.dumps({"user_id": users[at], "vector": state}) + "\n")
    with Path("returns.csv").open("w", newline="") as file:
        told = [(user, "yes" if back else "no") for user, back in zip(users, returns.tolist(), strict=True)]
        csv.writer(file).writerows([("user_id", "returns"), *told])


if __name__ == "__main__":
    main()

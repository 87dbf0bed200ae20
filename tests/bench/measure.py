"""Whole processes: how long they take, what memory they hold, what they print."""

import json
import os
import statistics
import subprocess
import threading
import time


class Measured:
    """What repeated runs of one contestant gave."""

    def __init__(self):
        self.times = []
        self.cpu = []
        self.peak = 0  # resident, in MB, a mapped file included
        self.own = 0  # anonymous, in MB, sampled
        self.failed = None

    def add(self, wall, cpu, peak, own):
        self.times.append(wall)
        self.cpu.append(cpu)
        self.peak = max(self.peak, peak)
        self.own = max(self.own, own)

    @property
    def best(self):
        return min(self.times)

    @property
    def median(self):
        return statistics.median(self.times)

    def plain(self):
        """As JSON holds it."""
        if self.failed:
            return {"failed": self.failed}
        return {
            "best_s": round(self.best, 4),
            "median_s": round(self.median, 4),
            "cpu_s": round(min(self.cpu), 4),
            "peak_mb": round(self.peak, 1),
            "own_mb": round(self.own, 1),
            "runs": len(self.times),
        }


def sample(pid, found):
    """The most anonymous memory the process holds, looked at every 5 ms."""
    path = f"/proc/{pid}/status"
    while not found["done"]:
        try:
            with open(path, encoding="ascii") as status:
                for line in status:
                    if line.startswith("RssAnon:"):
                        found["own"] = max(found["own"], int(line.split()[1]))
        except (OSError, ValueError):
            return
        time.sleep(0.005)


def cached(path):
    """Has a file in the page cache as a plain read of it from the disk leaves it there.

    Where its pages lie depends on who brought them in: what the program that wrote a file left behind is dearer to
    look at than what was read ahead, and by more for whoever maps the file.
    """
    with open(path, "rb", buffering=0) as file:
        os.fsync(file.fileno())
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        room = memoryview(bytearray(1 << 20))
        while file.readinto(room):
            pass


def once(command, output, cores=None, timeout=1800):
    """Runs a command; its standard output goes to a file.

    Gives the time by the wall, the time by the processor, peak memory and
    peak anonymous memory, or the text of what went wrong. A hunt that fires ends with exit code 1.
    """
    errors = output + ".errors"
    restrict = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    with open(output, "wb") as out, open(errors, "wb") as err:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, preexec_fn=restrict)
        found = {"own": 0, "done": False}
        watcher = threading.Thread(target=sample, args=(process.pid, found), daemon=True)
        watcher.start()
        killer = threading.Timer(timeout, process.kill)
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        killer.cancel()
        found["done"] = True
        watcher.join()
    if process.returncode not in (0, 1) or (process.returncode == 1 and not os.path.getsize(output)):
        with open(errors, encoding="utf-8", errors="replace") as text:
            said = text.read().strip()
        # A hunt without hits ends with 0; 1 without output is a failure, but for `rulec run`.
        return None, said.splitlines()[-1][:200] if said else f"exit code {process.returncode}"
    return (wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, found["own"] / 1024), None


def rounds(contestants, count, folder, cores=None, check=None):
    """Runs all contestants `count` times in turn, so that what else the machine does disturbs all alike.

    `contestants` is a dictionary of names to commands. `check` gets a name and
    the file with its output once, and gives the text of what is wrong, if anything.
    """
    results = {name: Measured() for name in contestants}
    for number in range(count):
        for name, command in contestants.items():
            result = results[name]
            if result.failed:
                continue
            output = os.path.join(folder, "out-" + "".join(c if c.isalnum() else "-" for c in name))
            numbers, failed = once(command, output, cores)
            if failed is None and number == 0 and check:
                failed = check(name, output)
            if failed is not None:
                result.failed = failed
            else:
                result.add(*numbers)
    return results


# What was printed ---------------------------------------------------------


def value(name, thing):
    """A value in the form that all engines' outputs have in common."""
    if thing is None:
        return ""
    if isinstance(thing, list):
        return tuple(sorted(str(part) for part in thing))
    if isinstance(thing, float) and thing.is_integer():
        return int(thing)
    if name.endswith(("Timestamp", "CreationTime", "First")):
        # DuckDB's times have six digits; the seventh is cut from all.
        head, _, digits = str(thing).replace(" ", "T").replace("+00:00", "").rstrip("Z").partition(".")
        return f"{head}.{digits[:6]:0<6}"
    return thing


def rows(path):
    """The rows that a contestant printed: alerts, a query's result, or objects."""
    with open(path, encoding="utf-8") as text:
        if text.read(11) == '{"columns":':
            text.seek(0)
            result = json.load(text)
            names = [column["name"] for column in result["columns"]]
            return [dict(zip(names, row)) for row in result["rows"]]
        text.seek(0)
        parsed = [json.loads(line) for line in text if line.strip()]
    return [row["row"] if "row" in row and "rule" in row else row for row in parsed]


def compare(ours, theirs):
    """What differs between our rows and theirs, in the columns they have; None if nothing."""
    ours, theirs = rows(ours), rows(theirs)
    if len(ours) != len(theirs):
        return f"{len(theirs)} rows instead of {len(ours)}"
    if not theirs:
        return None
    names = sorted(theirs[0])
    lacking = [name for name in names if name not in ours[0]]
    if lacking:
        return f"rulec has no column {', '.join(lacking)}"

    def plain(listed):
        return sorted(repr([value(name, row.get(name)) for name in names]) for row in listed)

    for our, their in zip(plain(ours), plain(theirs)):
        if our != their:
            return f"{their[:300]} instead of {our[:300]}"
    return None

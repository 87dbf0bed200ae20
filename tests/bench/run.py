"""The benchmark of running rules: whole processes, side by side, in one run.

    python3 tests/bench/run.py [--quick] [--only PART]... [--rulec FILE] [--folder DIR]

README.md beside this file says what is measured. Everything that is made, from
the virtual environment to the events, goes into the folder and is kept for the
next run.
"""

import argparse
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from measure import cached, compare, rounds, rows

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
NOW = "2026-01-15T12:00:00Z"
RULES = {
    "filter": ("rules/impact/RL-0003-recovery-inhibited-by-builtin-tools.md", ["DeviceProcessEvents"]),
    "summarize": ("rules/privilege-escalation/RL-0001-process-injection-by-rare-binary.md", ["DeviceEvents"]),
    "json": ("tests/bench/rules/BN-0001-named-pipe-of-a-known-framework.md", ["DeviceEvents"]),
}
# What a rule over process starts alone does without.
OTHER = re.compile(
    r"\b(Device(?!Process)\w*Events|DeviceInfo|DeviceTvm\w*|Email\w*|Identity\w*|Alert(Info|Evidence)|SecurityEvent"
    r"|CloudAppEvents|externaldata|_GetWatchlist|FileProfile|join|union|summarize|evaluate|top|sort|take|distinct)\b"
)
# The large groupings: the same columns as `peers.py` gives.
RELATE = {
    "group": """DeviceProcessEvents
        | summarize Events = count(), First = min(Timestamp), Highest = max(ProcessId) by DeviceId, AccountName""",
    "sets": "DeviceProcessEvents | summarize Files = make_set(FileName) by DeviceId",
    "distinct": """DeviceProcessEvents
        | summarize Devices = dcount(DeviceId, 4), Hashes = dcount(SHA1, 4) by FileName""",
    "join": """DeviceProcessEvents
        | project FileName, AccountName
        | join kind=inner (
            DeviceProcessEvents
            | where FileName == "powershell.exe"
            | summarize Devices = dcount(DeviceId, 4) by AccountName
        ) on AccountName
        | summarize Events = count(), Devices = sum(Devices) by FileName""",
}


class Bench:
    """The arguments, where things are, and what was found."""

    def __init__(self, options):
        self.options = options
        self.folder = os.path.abspath(options.folder)
        self.data = os.path.join(self.folder, "quick" if options.quick else "data")
        self.out = os.path.join(self.folder, "out")
        self.target = os.path.join(self.folder, "target")
        os.makedirs(self.data, exist_ok=True)
        os.makedirs(self.out, exist_ok=True)
        self.rows = options.rows or (50_000 if options.quick else 1_000_000)
        self.relate_rows = options.relate_rows or (500_000 if options.quick else 10_000_000)
        self.count = options.rounds or (2 if options.quick else 3)
        self.python = os.path.join(self.folder, "venv", "bin", "python")
        self.cached = set()
        self.profile = "dist" if options.shipped else "release"
        self.report = {}
        self.wrong = []

    # What is needed -------------------------------------------------------

    def environment(self):
        """The engines from PyPI."""
        wanted = os.path.join(HERE, "requirements.txt")
        stamp = os.path.join(self.folder, "venv", "requirements.txt")
        with open(wanted, encoding="utf-8") as text:
            pinned = text.read()
        if not (os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == pinned):
            step([sys.executable, "-m", "venv", os.path.join(self.folder, "venv")])
            step([self.python, "-m", "pip", "install", "--quiet", "-r", wanted])
            with open(stamp, "w", encoding="utf-8") as text:
                text.write(pinned)

    def cargo(self, folder, *arguments, profile="release"):
        """Builds something."""
        environment = {**os.environ, "CARGO_TARGET_DIR": self.target}
        step(["cargo", "build", "--profile", profile, "--locked", *arguments], cwd=folder, env=environment)

    def binary(self, name, profile="release"):
        return os.path.join(self.target, profile, name)

    def build(self):
        """rulec, the generator, the peers in Rust."""
        self.cargo(HERE, "--bins")
        if self.options.rulec:
            self.rulec = os.path.abspath(self.options.rulec)
        else:
            features = "shipped" if self.options.shipped else "parquet"
            self.cargo(ROOT, "-p", "rulec", "--features", features, profile=self.profile)
            self.rulec = self.binary("rulec", self.profile)

    def generate(self, kind, count=None, name=None, extra=()):
        """A file of events, made unless it is there already."""
        path = os.path.join(self.data, f"{name or kind}.ndjson")
        count = count or self.rows
        stamp = f"{path}.rows"
        says = f"{kind} {count} {self.options.seed} {' '.join(extra)}"
        if not (os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == says):
            arguments = ["--rows", str(count), "--seed", str(self.options.seed), "--out", path, *extra]
            step([self.binary("bench-generate"), kind, *arguments])
            with open(stamp, "w", encoding="utf-8") as text:
                text.write(says)
        return self.warm(path)

    def warm(self, path):
        """A file that is in the page cache."""
        if path not in self.cached:
            cached(path)
            self.cached.add(path)
        return path

    def parquet(self, table):
        """The same rows as Parquet, written by DuckDB with its defaults."""
        source = os.path.join(self.data, f"{table}.ndjson")
        path = os.path.join(self.data, f"{table}.parquet")
        if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(source):
            code = (
                "import sys, duckdb; sys.path.insert(0, sys.argv[1]); import peers; "
                "folder, table = sys.argv[2:4]; "
                "source = peers.duckdb_source(folder, table, peers.columns(folder, table), 'ndjson'); "
                "duckdb.sql(f\"COPY (SELECT * FROM {source}) TO '{folder}/{table}.parquet' (FORMAT parquet)\")"
            )
            step([self.python, "-c", code, HERE, self.data, table])
        return self.warm(path)

    def native(self, name, documents):
        """An emitted package of some rules, built; the path of its program."""
        folder = os.path.join(self.folder, f"emitted-{name}")
        step([self.rulec, "build", "--quiet", "--target", "native", "--out", folder, *documents])
        package = os.path.join(folder, "native")
        # One folder for all packages, so that what they depend on is compiled once.
        target = os.path.join(self.folder, "target-emitted")
        environment = {**os.environ, "CARGO_TARGET_DIR": target}
        step(["cargo", "build", "--profile", self.profile, "--quiet"], cwd=package, env=environment)
        program = os.path.join(folder, "program")
        shutil.copy(os.path.join(target, self.profile, "rulec-rules"), program)
        return program

    # Contestants ----------------------------------------------------------

    def given(self, tables, form="ndjson"):
        """The data arguments for some tables."""
        listed = []
        for table in tables:
            listed += ["--data", f"{table}={self.data}/{table}.{form}"]
        return [*listed, "--data", f"FileProfile={self.data}/FileProfile.ndjson"]

    def interpreter(self, document, tables, form="ndjson"):
        return [self.rulec, "run", "--quiet", document, "--now", NOW, *self.given(tables, form)]

    def peer(self, engine, rule, form):
        return [self.python, os.path.join(HERE, "peers.py"), engine, rule, self.data, form]

    def against(self, reference):
        """A check that compares with what the contestant `reference` printed first."""
        seen = {}

        def check(name, output):
            if name == reference:
                seen["rows"] = output
                if not rows(output):
                    return "no rows, so nothing is compared"
                return None
            if "skip" in name:
                return None
            differs = compare(seen["rows"], output) if "rows" in seen else None
            if differs:
                self.wrong.append(f"{name}: {differs}")
            return differs

        return check

    # Parts ----------------------------------------------------------------

    def part_ndjson(self):
        """Three rules over NDJSON."""
        self.three_rules("ndjson", ["duckdb", "polars", "datafusion", "chdb"])

    def part_parquet(self):
        """Three rules over Parquet."""
        for table in ("DeviceProcessEvents", "DeviceEvents"):
            self.generate(table)
            self.parquet(table)
        self.three_rules("parquet", ["duckdb", "polars", "datafusion", "chdb"])

    def three_rules(self, form, engines):
        for table in ("DeviceProcessEvents", "DeviceEvents", "FileProfile"):
            self.generate(table)
        # Emitted packages read no files of columns.
        emitted = self.emitted_three() if form == "ndjson" else None
        for rule, (document, tables) in RULES.items():
            contestants = {"rulec": self.interpreter(os.path.join(ROOT, document), tables, form)}
            if emitted:
                name = os.path.basename(document)[: -len(".md")]
                contestants["rulec, emitted"] = [
                    *[emitted, "--rule", name, "--now", NOW],
                    *self.given(tables, form),
                ]
            for engine in engines:
                # DataFusion has no functions for JSON; the first row of a group is asked of two.
                if (engine, rule) in (("datafusion", "json"), ("datafusion", "summarize"), ("chdb", "summarize")):
                    continue
                contestants[engine] = self.peer(engine, rule, form)
            if form == "ndjson":
                contestants["rulec, strict"] = [*contestants["rulec"], "--strict"]
                structs = self.binary("structs")
                contestants["sonic-rs structs"] = [structs, rule, self.data]
                contestants["sonic-rs skip"] = [structs, f"skip-{tables[0]}", self.data]
            results = rounds(contestants, self.count, self.out, check=self.against("rulec"))
            self.show(f"{form}: {rule}", results, "rulec", size=os.path.getsize(f"{self.data}/{tables[0]}.{form}"))

    def emitted_three(self):
        if self.options.no_emitted:
            return None
        if not hasattr(self, "three"):
            self.three = self.native("three", [os.path.join(ROOT, path) for path, _ in RULES.values()])
        return self.three

    def part_many(self):
        """One, 400 and 1,000 rules, and the same as Sigma on Sigma engines."""
        self.generate("DeviceProcessEvents")
        self.generate("FileProfile")
        events = self.generate("DeviceProcessEvents", name="sigma", extra=["--names", "sigma"])
        tables = ["DeviceProcessEvents"]
        documents = {count: self.rules(count) for count in (400, 1000)}
        documents[1] = [os.path.join(ROOT, RULES["filter"][0])]

        def interpreter(count):
            command = [self.rulec, "run", "--quiet", "--config", self.config(), "--now", NOW, *self.given(tables)]
            return [*command, *documents[count]]

        contestants = {f"rulec, {count} rules": interpreter(count) for count in sorted(documents)}
        if not self.options.no_emitted:
            for count in (1, 400):
                program = self.native(f"many-{count}", ["--config", self.config(), *documents[count]])
                contestants[f"rulec, {count} rules, emitted"] = [program, "--now", NOW, *self.given(tables)]
        results = rounds(contestants, self.count, self.out)
        self.show("many rules", results, "rulec, 1 rules", events=self.rows)
        self.sigma(documents[400], interpreter(400), events)

    def rules(self, count):
        """Paths of that many rules over process starts: public ones, where they are, and generated ones."""
        public = [] if count < 400 else self.public()
        folder = os.path.join(self.data, f"rules-{count}")
        if not os.path.isdir(folder) or len(os.listdir(folder)) != count - len(public):
            shutil.rmtree(folder, ignore_errors=True)
            step([self.binary("bench-generate"), "Rules", "--rows", str(count - len(public)), "--out", folder])
        return [folder, *public]

    def public(self):
        """Public rules beside the repository that look at process starts alone and group nothing."""
        corpus = os.path.join(os.path.dirname(ROOT), "shared", "corpus")
        found = []
        for folder, _, names in os.walk(corpus):
            for name in names:
                path = os.path.join(folder, name)
                if not name.endswith(".md"):
                    continue
                with open(path, encoding="utf-8", errors="replace") as text:
                    text = text.read()
                if re.search(r"(?m)^\s*DeviceProcessEvents", text) and not OTHER.search(text):
                    found.append(path)
        if not found:
            print("skipped: public rules, because there are none beside the repository")
            return []
        command = [self.rulec, "check", "--config", self.config(), "--format", "json", *found]
        checked = subprocess.run(command, check=False, capture_output=True, text=True).stdout
        wrong = [d["file"] for d in json.loads(checked)["diagnostics"] if d["severity"] == "error"]
        return sorted(path for path in found if not any(path.endswith(os.path.basename(w)) for w in wrong))

    def config(self):
        """Generated documents are no repository; this says what they are checked by."""
        path = os.path.join(self.data, "rulec.toml")
        if not os.path.exists(path):
            with open(path, "w", encoding="utf-8") as text:
                text.write('[repository]\nrules = ["."]\n')
        return path

    def sigma(self, documents, ours, events):
        """The 400 rules on two Sigma engines; hits must be the same where the translation is exact."""
        folder = os.path.join(self.folder, "emitted-sigma")
        shutil.rmtree(folder, ignore_errors=True)
        build = [self.rulec, "build", "--quiet", "--config", self.config(), "--target", "sigma", "--out", folder]
        step([*build, *documents])
        rules = os.path.join(folder, "sigma")
        # What was generated translates exactly; of the public rules, only those that do are compared.
        with open(os.path.join(folder, "losses.json"), encoding="utf-8") as text:
            losses = json.load(text)["losses"]
        inexact = {loss["rule"] for loss in losses if loss["effect"] in ("widened", "narrowed", "rejected")}
        generated = {name[: -len(".md")] for name in os.listdir(documents[0])}
        if inexact & generated:
            self.wrong.append(f"generated rules that Sigma cannot say: {sorted(inexact & generated)[:3]}")
        titles = set()
        for name in generated:
            with open(os.path.join(documents[0], f"{name}.md"), encoding="utf-8") as text:
                titles |= {line[2:].strip().lower() for line in text if line.startswith("# ")}

        def hits(output):
            found = set()
            with open(output, encoding="utf-8") as text:
                for line in text:
                    if line.startswith("{"):
                        alert = json.loads(line)
                        title, report = alert["title"], alert["row"].get("ReportId")
                    else:
                        title, report = line.rstrip("\n").split("\t")
                    # Emitted titles are in title case.
                    if title.lower() in titles:
                        found.add((title.lower(), int(report)))
            return found

        seen = {}

        def check(name, output):
            found = hits(output)
            if not seen:
                seen["hits"] = found
                return None if found else "no hits, so nothing is compared"
            wanted = seen["hits"]
            if name == "sigma-rust":
                wanted = {(title, report) for title, report in wanted if report <= few}
            if found == wanted:
                return None
            said = f"{len(found)} hits instead of {len(wanted)}, such as {sorted(found ^ wanted)[:3]}"
            self.wrong.append(f"{name}: {said}")
            return said

        # Rules cost sigma-rust microseconds each, so that all events would take it an hour.
        few = min(self.rows, 10_000)
        beginning = os.path.join(self.data, "sigma-few.ndjson")
        with open(events, "rb") as lines, open(beginning, "wb") as out:
            out.writelines(itertools.islice(lines, few))
        program = self.binary("sigma")
        contestants = {
            "rulec, 400 rules": ours,
            "rsigma": [program, "rsigma", rules, events],
            "sigma-rust": [program, "sigma-rust", rules, beginning],
        }
        results = rounds(contestants, min(self.count, 2), self.out, check=check)
        counts = {"sigma-rust": few}
        count = sum(name.endswith(".yml") for _, _, names in os.walk(rules) for name in names)
        note = f"{count} Sigma files; {len(seen.get('hits', ()))} hits of {len(titles)} rules compared"
        self.show("Sigma engines", results, "rulec, 400 rules", events=self.rows, note=note, counts=counts)

    def part_start(self):
        """Whole processes over 1,000 events."""
        few = self.generate("DeviceProcessEvents", 1000, "few")
        one = os.path.join(ROOT, RULES["filter"][0])
        command = [self.rulec, "run", "--quiet", "--now", NOW, "--data", f"DeviceProcessEvents={few}"]
        contestants = {
            "print 1": [self.rulec, "query", "print 1"],
            "1 rule": [*command, one],
            "400 rules": [*command, "--config", self.config(), *self.rules(400)],
        }
        emitted = self.emitted_three()
        if emitted:
            contestants["1 rule, emitted"] = [
                *[emitted, "--rule", "RL-0003-recovery-inhibited-by-builtin-tools", "--now", NOW],
                *["--data", f"DeviceProcessEvents={few}"],
            ]
        results = rounds(contestants, 20, self.out)
        self.show("1,000 events", results, "1 rule")

    def part_documents(self):
        """5,000 documents checked and built: with nothing kept from before, and with nothing changed since."""
        folder = self.documents(5000)
        if not folder:
            return
        kept, dist = os.path.join(self.folder, "kept"), os.path.join(self.folder, "dist")
        # Public documents have mistakes: 2 is an answer too.
        cold = ["sh", "-c", 'cd "$1" && rm -rf "$2" "$3" && shift 3 && { "$@"; [ $? -le 2 ]; }', "sh", folder, kept]
        warm = ["sh", "-c", 'cd "$1" && shift && { "$@"; [ $? -le 2 ]; }', "sh", folder]
        commands = {
            "check": [self.rulec, "check", "--format", "json"],
            "build": [self.rulec, "build", "--quiet", "--out", dist],
        }
        contestants = {}
        for name, command in commands.items():
            contestants[f"{name}, cold"] = [*cold, dist, *command]
            contestants[f"{name}, warm"] = [*warm, *command]
        results = rounds(contestants, min(self.count, 3), self.out)
        self.show("5,000 documents", results, "check, cold")

    def documents(self, count):
        """Public documents beside the repository, as often as it takes, each with an id of its own."""
        corpus = os.path.join(os.path.dirname(ROOT), "shared", "corpus")
        found = sorted(
            os.path.join(folder, name)
            for folder, _, names in os.walk(corpus)
            for name in names
            if name.endswith(".md") and name != "README.md"
        )
        if not found:
            print("skipped: documents, because there are none beside the repository")
            return None
        folder = os.path.join(self.data, f"documents-{count}")
        shutil.rmtree(folder, ignore_errors=True)
        for number in range(count):
            turn, path = number // len(found), found[number % len(found)]
            stem, extension = os.path.splitext(os.path.relpath(path, corpus))
            copy = os.path.join(folder, f"{turn:02}", f"{stem}-{turn:02}{extension}")
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            with open(path, "rb") as text:
                text = re.sub(rb"(?m)^(\*\*ID:\*\*\s*\S+)", rb"\1-%02d" % turn, text.read(), count=1)
            with open(copy, "wb") as out:
                out.write(text)
        with open(os.path.join(folder, "rulec.toml"), "w", encoding="utf-8") as text:
            text.write(f'[repository]\nrules = ["."]\n[cache]\nfolder = "{os.path.join(self.folder, "kept")}"\n')
        return folder

    def part_relate(self):
        """Large groupings, over few columns of many rows."""
        path = self.generate("Relate", self.relate_rows)
        for rule, query in RELATE.items():
            ours = [self.rulec, "query", query, "--format", "json", "--now", NOW, "--memory", "8192"]
            contestants = {"rulec": [*ours, "--data", f"DeviceProcessEvents={path}"]}
            for engine in ("duckdb", "polars", "datafusion", "chdb"):
                contestants[engine] = self.peer(engine, rule, "ndjson")
            results = rounds(contestants, self.count, self.out, check=self.against("rulec"))
            self.show(f"relate: {rule}", results, "rulec", size=os.path.getsize(path))

    def part_cores(self):
        """One core and two."""
        self.generate("DeviceProcessEvents")
        self.generate("DeviceEvents")
        self.generate("FileProfile")
        for rule, (document, tables) in RULES.items():
            command = {rule: self.interpreter(os.path.join(ROOT, document), tables)}
            cores = sorted(os.sched_getaffinity(0))[:2]
            one, two = {}, {}
            for _ in range(self.count):
                for target, chosen in ((one, cores[:1]), (two, cores)):
                    for result in rounds(command, 1, self.out, cores=set(chosen)).values():
                        if not result.failed:
                            target.setdefault("times", []).append(result.best)
            if one and two:
                ratio = min(one["times"]) / min(two["times"])
                self.note(f"cores: {rule}", {"one_s": min(one["times"]), "two_s": min(two["times"]), "ratio": ratio})

    def part_memory(self):
        """Anonymous memory over a quarter of the events and over all of them."""
        document, tables = RULES["filter"]
        self.generate("FileProfile")
        quarter = self.generate("DeviceProcessEvents", self.rows // 4, "quarter")
        whole = self.generate("DeviceProcessEvents")
        command = [self.rulec, "run", "--quiet", os.path.join(ROOT, document), "--now", NOW, "--data"]
        contestants = {
            "a quarter": [*command, f"DeviceProcessEvents={quarter}"],
            "all": [*command, f"DeviceProcessEvents={whole}"],
        }
        results = rounds(contestants, min(self.count, 2), self.out)
        self.show("memory", results, "all")

    # Report ---------------------------------------------------------------

    def note(self, title, numbers):
        self.report[title] = numbers
        print(f"\n### {title}\n")
        print(", ".join(f"{key} {number:.2f}" for key, number in numbers.items()), flush=True)

    def show(self, title, results, reference, size=None, events=None, note=None, counts=None):
        """A table of one part; ratios are times of the others by ours, so more is better for us.

        `counts` names contestants that got fewer events than `events`; their times are those of as many.
        """
        self.report[title] = {name: result.plain() for name, result in results.items()}
        print(f"\n### {title}\n")
        rate = " GB/s |" if size else " events/s |" if events else ""
        print(f"| | best s | median s | cpu s | ratio | cpu ratio |{rate} peak MB | own MB |")
        print("|---|---|---|---|---|---|" + ("---|" if rate else "") + "---|---|")
        base = results[reference]
        for name, result in results.items():
            if result.failed:
                print(f"| {name} | failed: {result.failed} |")
                continue
            count = (counts or {}).get(name, events)
            more = events / count if events else 1
            ratio = "" if base.failed else f"{more * result.best / base.best:.2f}"
            busy = "" if base.failed else f"{more * min(result.cpu) / min(base.cpu):.2f}"
            speed = f" {size / result.best / 1e9:.2f} |" if size else f" {count / result.best:.0f} |" if events else ""
            cells = [f"{result.best:.3f}", f"{result.median:.3f}", f"{min(result.cpu):.2f}", ratio, busy]
            print(f"| {name} | {' | '.join(cells)} |{speed} {result.peak:.0f} | {result.own:.0f} |")
        if note:
            print(f"\n{note}")
        sys.stdout.flush()

    def finish(self):
        self.report["environment"] = {
            "rows": self.rows,
            "relate_rows": self.relate_rows,
            "rounds": self.count,
            "cores": len(os.sched_getaffinity(0)),
        }
        path = os.path.join(self.folder, "report.json")
        with open(path, "w", encoding="utf-8") as text:
            json.dump(self.report, text, indent=1)
        print(f"\nall numbers: {path}")
        for wrong in self.wrong:
            print(f"MISMATCH {wrong}", file=sys.stderr)
        return 1 if self.wrong else 0


def step(command, **options):
    """Runs what must work."""
    result = subprocess.run(command, check=False, **options)
    # `rulec build` ends with 1 or 2 when some documents have findings; what it wrote of the others stands.
    builds = command[1:3] == ["build", "--quiet"]
    if result.returncode not in ((0, 1, 2) if builds else (0,)):
        sys.exit(f"failed: {' '.join(map(str, command))[:300]}")


PARTS = [name[len("part_") :] for name in dir(Bench) if name.startswith("part_")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.path.join(tempfile.gettempdir(), "rulec-bench")
    parser.add_argument("--folder", default=default, help=f"where everything made goes (default: {default})")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the events, fewer rounds")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; repeatable")
    parser.add_argument("--rulec", help="a rulec that is built already")
    parser.add_argument("--shipped", action="store_true", help="build rulec and the packages as they are shipped, which takes longer")
    parser.add_argument("--no-emitted", action="store_true", help="leave emitted Rust out: nothing is compiled")
    parser.add_argument("--rows", type=int, help="events in each table")
    parser.add_argument("--relate-rows", type=int, help="rows for the large groupings")
    parser.add_argument("--rounds", type=int, help="how often everything runs")
    parser.add_argument("--seed", type=int, default=1, help="of the events")
    bench = Bench(parser.parse_args())
    bench.environment()
    bench.build()
    for part in bench.options.only or ["ndjson", "parquet", "many", "start", "documents", "relate", "cores", "memory"]:
        getattr(bench, f"part_{part}")()
    return bench.finish()


if __name__ == "__main__":
    sys.exit(main())

"""What a catalog costs: time, memory and weight.

    cargo build --release && python3 tests/catalog/measure.py

The shipped rules; a thousand rules, which are the shipped ones under numbered ids and titles; and the public
documents of ../shared/corpus, where they are. Whole processes, the best of three runs; weights are bytes, packed
as gzip does.
"""

import argparse
import glob
import gzip
import os
import re
import shutil
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def thousand(folder, count=1000):
    """A repository of that many rules, made from the shipped ones."""
    rules = os.path.join(folder, "rules")
    os.makedirs(rules)
    with open(os.path.join(folder, "rulec.toml"), "w", encoding="utf-8") as text:
        text.write('[repository]\nrules = ["rules"]\n')
    documents = sorted(glob.glob(os.path.join(ROOT, "rules", "*", "*.md")))
    for number in range(1, count + 1):
        with open(documents[number % len(documents)], encoding="utf-8") as text:
            document = text.read()
        own = re.search(r"\*\*ID:\*\* (\S+)", document).group(1)
        document = document.replace(own, f"C{number:04}-{own}")
        document = re.sub(r"(?m)^# (.*)$", rf"# \1, {number}", document, count=1)
        with open(os.path.join(rules, f"c{number:04}.md"), "w", encoding="utf-8") as text:
            text.write(document)


def run(rulec, folder, out, arguments):
    """Seconds, seconds of processors and peak memory in MB of one run."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [rulec, "catalog", "--no-cache", "--quiet", "--out", out, *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) not in (0, 1, 2):
        raise SystemExit(f"rulec catalog failed in {folder}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def packed(path):
    with open(path, "rb") as data:
        return len(gzip.compress(data.read(), 9, mtime=0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rulec", default=os.path.join(ROOT, "target", "release", "rulec"))
    rulec = os.path.abspath(parser.parse_args().rulec)
    folder = tempfile.mkdtemp(prefix="rulec-catalog-")
    many = os.path.join(folder, "many")
    thousand(many)
    sets = [("the shipped rules", ROOT, []), ("a thousand rules", many, [])]
    corpus = os.path.join(os.path.dirname(ROOT), "shared", "corpus")
    if os.path.isdir(corpus):
        alone = os.path.join(folder, "alone")
        os.makedirs(alone)
        sets.append(("public documents", alone, [corpus]))
    else:
        print("skipped: public documents, because ../shared/corpus is not there")
    print("| | rules | seconds | of processors | peak MB | page of a rule KB, packed | index KB, packed | search index KB, packed | site MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, where, arguments in sets:
        out = os.path.join(folder, "site")
        shutil.rmtree(out, ignore_errors=True)
        seconds, cpu, peak = min(run(rulec, where, out, arguments) for _ in range(3))
        pages = sorted((packed(path), path) for path in glob.glob(os.path.join(out, "rules", "*.html")))
        middle = pages[len(pages) // 2][0]
        files = [os.path.join(at, name) for at, _, names in os.walk(out) for name in names]
        size = sum(os.path.getsize(path) for path in files)
        index = packed(os.path.join(out, "index.html"))
        search = packed(os.path.join(out, "assets", "search.js"))
        print(
            f"| {name} | {len(pages):,} | {seconds:.2f} | {cpu:.2f} | {peak:.0f} | {middle / 1000:.0f} "
            f"| {index / 1000:.0f} | {search / 1000:.0f} | {size / 1e6:.1f} |"
        )
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

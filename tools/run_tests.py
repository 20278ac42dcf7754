#!/usr/bin/env python3
"""All tests: the layer check, the unit tests and scenarios with gcc, with clang under AddressSanitizer and
UndefinedBehaviorSanitizer (with 12 or 5 s of each fuzzer) and, for what has threads, under ThreadSanitizer; then the running
server against real clients and peers, under AddressSanitizer and as built for use; the crash test; the demo.
Ends with what failed, once more, and one line: N passed, N failed, N skipped.   ONLY=name[,name]: some steps alone (see STEPS)."""
import concurrent.futures
import glob
import json
import os
import queue
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

COUNT = re.compile(r"\[  (PASSED|FAILED|SKIPPED)  \] (\d+) test\(s\)")
JOBS = "-j2"
WORKERS = 2
NO_TESTS = 5  # pytest's exit status
FAILURE = 3000  # characters kept of what a failed test printed
LONG = ("relay", "world", "differential", "tables_servers", "delivery", "faces", "package", "tls", "routing")
TEST = os.path.abspath("test")


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []  # what each printed, its end
        self.lock = threading.Lock()

    def add(self, passed, failed, skipped=0):
        with self.lock:
            self.passed += passed
            self.failed += failed
            self.skipped += skipped

    def tell(self, name, said):
        with self.lock:
            self.failures.append(f"-- {name}\n{said.strip()[-FAILURE:]}\n")


totals = Totals()


def run(command, **options):
    print("+ " + " ".join(command), flush=True)
    return subprocess.run(command, check=False, **options)


def sanitizers():
    """What the sanitizers' runtimes are told, also in a server under test (Meson reads the same file)."""
    with open("test/sanitizers.env", encoding="utf-8") as f:
        pairs = [line.strip().split("=", 1) for line in f if "=" in line and not line.startswith("#")]
    return {name: value.replace("@TEST@", TEST) for name, value in pairs}


def counted(name, ok):
    print(f"{'ok' if ok else 'FAILED'}: {name}", flush=True)
    totals.add(int(ok), int(not ok))
    if not ok:
        totals.tell(name, "")
    return ok


def setup(folder, options, env=None):
    """A configured and built folder, or False."""
    if not os.path.exists(folder + "/build.ninja"):
        made = run(["meson", "setup", folder, *options], env=env, stdout=subprocess.DEVNULL)
        if made.returncode:
            return counted(f"configure {folder}", False)
    built = run(["ninja", "-C", folder, JOBS, "--quiet"])
    return counted(f"build {folder}", built.returncode == 0)


def meson_tests(folder, *arguments):
    """Runs Meson's tests and counts what each cmocka program says of itself."""
    log = folder + "/meson-logs/testlog.json"
    if os.path.exists(log):
        os.remove(log)
    run(["meson", "test", "-C", folder, "--no-rebuild", "--num-processes", "2", "--print-errorlogs", *arguments])
    if not os.path.exists(log):
        counted(f"tests of {folder}", False)
        return
    with open(log, encoding="utf-8") as lines:
        for line in lines:
            count_meson(json.loads(line))


def count_meson(test):
    said = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for kind, number in COUNT.findall((test.get("stdout") or "") + (test.get("stderr") or "")):
        said[kind] += int(number)
    if test["result"] == "OK":
        totals.add(said["PASSED"] or 1, 0, said["SKIPPED"])
    elif test["result"] == "SKIP":
        totals.add(0, 0, 1)
    else:
        totals.add(said["PASSED"], said["FAILED"] or 1, said["SKIPPED"])
        totals.tell(test["name"], (test.get("stdout") or "") + (test.get("stderr") or ""))


def pytest(program, where, marks, worker=0):
    """One run of pytest, its output in one piece. worker: of WORKERS, each with ports of its own."""
    name = os.path.basename(where)
    report = f"{os.path.dirname(program)}/pytest-{name}.xml"
    if os.path.exists(report):
        os.remove(report)
    environment = dict(os.environ, **sanitizers(), POSTRIDER=os.path.abspath(program), POSTRIDER_PORTS=f"{worker}/{WORKERS}")
    began = time.monotonic()
    done = run(["/usr/bin/python3", "-m", "pytest", "-q", "-x" if os.environ.get("STOP") else "-ra", "--tb=short",
                "-p", "no:cacheprovider", f"--junit-xml={report}", "-m", marks, where], env=environment, stdout=subprocess.PIPE,
               stderr=subprocess.STDOUT, text=True)
    print(f"-- {name}: {time.monotonic() - began:.0f} s\n{done.stdout}", flush=True)
    if done.returncode == NO_TESTS:
        return
    if not os.path.exists(report):
        counted(f"pytest {where}", False)
        return
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        n, bad, skipped = int(suite.get("tests")), int(suite.get("failures")) + int(suite.get("errors")), int(
            suite.get("skipped"))
        totals.add(n - bad - skipped, bad, skipped)
        for case in suite.iter("testcase"):
            for wrong in [*case.iter("failure"), *case.iter("error")]:
                totals.tell(f"{name}::{case.get('name')}", wrong.text or wrong.get("message"))


def pytest_files(program, marks):
    """Every file by itself, WORKERS at a time, those first that take long: most of a test's time is waiting."""
    files = sorted(glob.glob("test/interop/test_*.py"), key=lambda f: (os.path.basename(f)[5:-3] not in LONG, f))
    free = queue.SimpleQueue()
    for worker in range(WORKERS):
        free.put(worker)

    def one(path):
        worker = free.get()
        pytest(program, path, marks, worker)
        free.put(worker)

    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, files))


def step_layers():
    counted("layers", run([sys.executable, "tools/check_layers.py"]).returncode == 0)


def step_gcc():
    if setup("build", []):
        meson_tests("build")


def clang(**more):
    return dict(os.environ, CC="clang", **more)


def step_asan():
    """Leaks count as failures. The fuzzers are part of this build: each runs for 12 s, or 5 where what it reads is not a stranger's."""
    options = ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dfuzz=true"]
    if setup("build-asan", options, clang()):
        meson_tests("build-asan")


def step_tsan():
    if setup("build-tsan", ["-Db_sanitize=thread", "-Db_lundef=false"], clang()):
        meson_tests("build-tsan", "--suite", "unit")
        pytest("build-tsan/postrider", "test/interop", "threads")


def step_interop():
    if setup("build-asan", []):
        pytest_files("build-asan/postrider", "not crash")


def step_crash():
    if setup("build", []):
        pytest("build/postrider", "test/interop", "crash")


def step_demo():
    if setup("build", []):
        done = run([sys.executable, "tools/demo.py", "build/postrider"], env=dict(os.environ, RUN_ONCE="1"))
        counted("demo", done.returncode == 0)


STEPS = {name[5:]: function for name, function in list(globals().items()) if name.startswith("step_")}


def main():
    wanted = [w for w in os.environ.get("ONLY", "").split(",") if w] or list(STEPS)
    for name in wanted:
        began = time.monotonic()
        print(f"\n== {name}", flush=True)
        STEPS[name]()
        print(f"== {name}: {time.monotonic() - began:.0f} s; so far {totals.passed} passed, {totals.failed} failed",
              flush=True)
    if totals.failures:
        print("\n== failed\n" + "\n".join(totals.failures))
    print(f"{totals.passed} passed, {totals.failed} failed, {totals.skipped} skipped")
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())
